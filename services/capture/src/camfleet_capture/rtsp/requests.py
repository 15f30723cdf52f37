"""RTSP requests and answers as text (RFC 2326)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from camfleet_capture.rtsp.sdp import TRACK

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
}
_REQUEST_LINE = re.compile(r"([A-Z_]{1,20}) (\S{1,2000}) (RTSP/\d\.\d)")
_HTTP_LINE = re.compile(r"(GET|HEAD|POST) \S+ HTTP/1\.[01]")
_HTTP_BODY = "This port speaks RTSP, not through HTTP: give rtsp://...:port/<camera> to a player.\n"
_HEADER_LIMIT = 64
_LAST_CHANNEL = 255  # of what is interleaved
_CLIENT_PORTS = range(1024, 65536)  # those below are of services, which no packet shall reach
_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})(?:-(\d{1,3}))?")
_CLIENT_PORT = re.compile(r"client_port=(\d{1,5})(?:-(\d{1,5}))?")


class SpokenHttp(Exception):
    """A request of HTTP: a browser, or a reader that wants RTSP tunnelled through HTTP."""


class Refused(Exception):
    """A request that is answered with an error code; the text goes to the client."""

    def __init__(self, code: int, reason: str = "", headers: tuple[str, ...] = ()) -> None:
        self.code, self.reason, self.headers = code, reason, headers
        super().__init__(f"{code} {reason}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    uri: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def sequence(self) -> str:
        """CSeq, as it was sent."""
        return self.headers.get("cseq", "0")

    @property
    def camera(self) -> str:
        """The path without slashes and track."""
        path = unquote(urlsplit(self.uri).path).strip("/")
        return path.removesuffix(TRACK).rstrip("/")

    @property
    def wants_low_latency(self) -> bool:
        """Whether the reader is ours, or asks for pictures that end in a delimiter."""
        query = parse_qs(urlsplit(self.uri).query)
        agent = self.headers.get("user-agent", "").lower()
        return "camfleet" in agent or query.get("low_latency") == ["1"]

    @property
    def session(self) -> str:
        """Session id without its parameters; empty when there is none."""
        return self.headers.get("session", "").partition(";")[0].strip()


@dataclass(frozen=True, slots=True)
class WantedTransport:
    """One acceptable transport of a SETUP: RTP and RTCP channels, or UDP ports."""

    is_tcp: bool
    rtp: int
    rtcp: int


def parse_request(head: bytes) -> Request:
    """Parse the head of a request (all up to the empty line).

    Raises:
        SpokenHttp: it is one of HTTP.
        Refused: 400 or 505.
    """
    text = head.decode("utf-8", "replace")
    first, *lines = text.strip("\r\n").replace("\r\n", "\n").split("\n")
    match = _REQUEST_LINE.fullmatch(first)
    if _HTTP_LINE.fullmatch(first):
        raise SpokenHttp
    if not match:
        raise Refused(400, "the first line must be METHOD URL RTSP/1.0")
    if len(lines) > _HEADER_LIMIT:
        raise Refused(400, f"more than {_HEADER_LIMIT} headers")
    method, uri, version = match.groups()
    headers = _parse_headers(lines)
    if version != "RTSP/1.0":
        raise Refused(505, "this server speaks RTSP/1.0")
    try:
        urlsplit(uri)
    except ValueError as error:
        raise Refused(400, "the URL cannot be read") from error
    return Request(method, uri, headers)


def _parse_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Refused(400, "a header needs a colon")
        headers[name.strip().lower()] = value.strip()
    return headers


def parse_transport(header: str) -> WantedTransport:
    """Choose the first transport we can serve.

    Raises:
        Refused: 461 when there is none.
    """
    for offer in header.split(","):
        if wanted := _parse_offer(offer.strip()):
            return wanted
    raise Refused(461, "use RTP/AVP/TCP;interleaved or RTP/AVP;unicast;client_port")


def _parse_offer(offer: str) -> WantedTransport | None:
    protocol = offer.partition(";")[0].strip().upper()
    if "multicast" in offer:
        return None
    if protocol == "RTP/AVP/TCP":
        match = _INTERLEAVED.search(offer)
        rtp, rtcp = _pair(match) if match else (0, 1)
        return WantedTransport(True, rtp, rtcp) if max(rtp, rtcp) <= _LAST_CHANNEL else None
    if protocol in {"RTP/AVP", "RTP/AVP/UDP"} and (match := _CLIENT_PORT.search(offer)):
        rtp, rtcp = _pair(match)
        in_range = rtp in _CLIENT_PORTS and rtcp in _CLIENT_PORTS
        return WantedTransport(False, rtp, rtcp) if in_range else None
    return None


def _pair(match: re.Match[str]) -> tuple[int, int]:
    first = int(match[1])
    return first, int(match[2]) if match[2] else first + 1


def format_response(
    code: int, sequence: str, headers: tuple[str, ...] = (), body: str = ""
) -> bytes:
    """Return a complete answer."""
    lines = [f"RTSP/1.0 {code} {REASONS[code]}", f"CSeq: {sequence}", "Server: camfleet", *headers]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def format_http_refusal() -> bytes:
    """Return the answer, in its own words, to a client that speaks HTTP."""
    lines = ("HTTP/1.1 501 Not Implemented", "Server: camfleet", "Content-Type: text/plain")
    ending = f"Content-Length: {len(_HTTP_BODY)}\r\nConnection: close\r\n\r\n{_HTTP_BODY}"
    return ("\r\n".join(lines) + "\r\n" + ending).encode()
