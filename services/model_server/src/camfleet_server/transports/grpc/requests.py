"""The headers of a gRPC request."""

from typing import NamedTuple

from camfleet_server.transports.grpc.status import StatusCode

_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT_DIGITS = 8
ENCODINGS = ("identity", "gzip", "deflate")


class RequestHead(NamedTuple):
    """What the headers of a request say; shared between calls with equal headers."""

    path: str
    metadata: dict[str, str]
    timeout_s: float | None = None
    encoding: str = "identity"
    fault: tuple[StatusCode, str] | None = None


def read_head(fields: list[tuple[str, str]]) -> RequestHead:
    """Read header fields; what is wrong with them is the `fault` the call is to end with."""
    found = dict(fields)
    path = found.get(":path", "")
    metadata = {name: value for name, value in found.items() if not name.startswith(":")}
    encoding = metadata.get("grpc-encoding", "identity")
    timeout_s = None
    fault = _fault(found, encoding)
    if fault is None and "grpc-timeout" in metadata:
        timeout_s = _seconds(metadata["grpc-timeout"])
        if timeout_s is None:
            text = f"grpc-timeout {metadata['grpc-timeout'][:20]!r} is not a time"
            fault = StatusCode.INTERNAL, text
    return RequestHead(path, metadata, timeout_s, encoding, fault)


def _fault(found: dict[str, str], encoding: str) -> tuple[StatusCode, str] | None:
    if found.get(":method") != "POST" or not found.get(":path"):
        return StatusCode.UNIMPLEMENTED, "a gRPC call is a POST with a path"
    if not found.get("content-type", "").startswith("application/grpc"):
        return StatusCode.UNIMPLEMENTED, "content-type is not application/grpc"
    if encoding not in ENCODINGS:
        text = f"grpc-encoding {encoding[:40]!r} is not one of {', '.join(ENCODINGS)}"
        return StatusCode.UNIMPLEMENTED, text
    return None


def _seconds(text: str) -> float | None:
    digits, unit = text[:-1], text[-1:]
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _TIMEOUT_DIGITS
    return int(digits) * _UNITS_S[unit] if is_number and unit in _UNITS_S else None
