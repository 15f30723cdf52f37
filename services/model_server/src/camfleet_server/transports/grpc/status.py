"""How a gRPC call ends: its code, its text, and the frames that say so."""

from enum import IntEnum

from camfleet_server.transports.http2.frames import (
    END_HEADERS,
    END_STREAM,
    HEADERS,
    NUMBER,
    frame,
    frame_head,
)
from camfleet_server.transports.http2.headers import literal

_STATUS_200 = b"\x88"  # of HPACK's static table
_HEAD = _STATUS_200 + literal(b"content-type", b"application/grpc")
_HEAD_BEGIN = frame_head(len(_HEAD), HEADERS, END_HEADERS, 0)[: -NUMBER.size]
_LONGEST_TEXT = 4000  # bytes; clients refuse headers above 8 KiB as a whole
_PLAIN = frozenset(range(0x20, 0x7F)) - {ord("%")}


class StatusCode(IntEnum):
    """The codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Ended(Exception):
    """The call ends with this code and text."""

    def __init__(self, code: StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


_OK = literal(b"grpc-status", b"0")
_OK_BEGIN = frame_head(len(_OK), HEADERS, END_HEADERS | END_STREAM, 0)[: -NUMBER.size]


def answer_head(stream: int) -> bytes:
    """Write the headers of an answer."""
    return _HEAD_BEGIN + NUMBER.pack(stream) + _HEAD


def good_end(stream: int) -> bytes:
    """Write the trailers of a call that went well."""
    return _OK_BEGIN + NUMBER.pack(stream) + _OK


def bad_end(stream: int, code: StatusCode, text: str, *, has_head: bool) -> bytes:
    """Write the trailers of a call that did not; without an answer they are its headers too."""
    fields = literal(b"grpc-status", str(int(code)).encode())
    if text:
        fields += literal(b"grpc-message", percent_encoded(text))
    if not has_head:
        accepted = literal(b"grpc-accept-encoding", b"identity,deflate,gzip")
        fields = _HEAD + accepted + fields
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, fields)


def percent_encoded(text: str) -> bytes:
    """Write a text as `grpc-message` wants it, cut where it is too long for a header."""
    out = bytearray()
    for character in text:
        raw = character.encode("utf-8", "replace")
        encoded = b"".join(bytes((byte,)) if byte in _PLAIN else b"%%%02X" % byte for byte in raw)
        if len(out) + len(encoded) > _LONGEST_TEXT:
            break
        out += encoded
    return bytes(out)
