"""RTSP requests and answers (RFC 2326), as far as a server of one stream needs them."""

from dataclasses import dataclass
from io import BufferedIOBase

_LARGEST_LINE, _MOST_LINES, _LARGEST_BODY = 4096, 100, 65_536
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class BadRequest(ValueError):
    """It is not RTSP."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; names of headers are in lower case."""

    method: str
    url: str
    headers: dict[str, str]


def read_request(stream: BufferedIOBase) -> Request | None:
    """The next request, passing over what clients report of reception; None when it hung up.

    Raises:
        BadRequest: it is not RTSP, or larger than any request.
    """
    while (first := stream.read(1)) == b"$":
        head = stream.read(3)
        stream.read(int.from_bytes(head[1:]))
    if not first:
        return None
    lines = [first.decode("latin-1") + _line(stream)]
    while (line := _line(stream)) and len(lines) < _MOST_LINES:
        lines.append(line)
    method, _, rest = lines[0].partition(" ")
    url, _, version = rest.rpartition(" ")
    if not version.startswith("RTSP/") or len(lines) == _MOST_LINES:
        raise BadRequest(lines[0][:80])
    pairs = (line.partition(":") for line in lines[1:])
    request = Request(method, url, {name.strip().lower(): v.strip() for name, _, v in pairs})
    _skip_body(stream, request.headers.get("content-length", "0"))
    return request


def answer(
    code: int, request: Request, headers: dict[str, str] | None = None, body: str = ""
) -> bytes:
    """The answer on the wire."""
    lines = [f"RTSP/1.0 {code} {_REASONS[code]}", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def _line(stream: BufferedIOBase) -> str:
    line = stream.readline(_LARGEST_LINE)
    if len(line) == _LARGEST_LINE:
        raise BadRequest("a line is too long")
    return line.decode("latin-1").rstrip("\r\n")


def _skip_body(stream: BufferedIOBase, length: str) -> None:
    if not length.isdecimal() or int(length) > _LARGEST_BODY:
        raise BadRequest(f"Content-Length {length[:20]}")
    stream.read(int(length))
