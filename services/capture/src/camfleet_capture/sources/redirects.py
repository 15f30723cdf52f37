"""Whether an RTSP server sends its readers on without end: libav follows as fast as it can."""

import socket
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

_HOPS = 5
_PATIENCE_S = 2.0
_LINE_LIMIT_BYTES, _LINES_LIMIT = 4096, 64
_RTSP_PORT = 554


def is_endless(url: str) -> bool:
    """Follow a few redirects, with a connection each and without a password; False if they end."""
    for _ in range(_HOPS):
        try:
            location = _redirect_of(url)
        except (OSError, ValueError, IndexError):
            return False  # no answer, or none of RTSP: opening it says so
        if location is None:
            return False
        url = location
    return True


def _redirect_of(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme != "rtsp" or not parts.hostname:
        return None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    place = parts.hostname, parts.port or _RTSP_PORT
    with socket.create_connection(place, _PATIENCE_S) as connection:
        answers = connection.makefile("rb")
        for number, method in enumerate(("OPTIONS", "DESCRIBE"), 1):
            request = f"{method} {bare} RTSP/1.0\r\nCSeq: {number}\r\n\r\n"
            connection.sendall(request.encode())
            if location := _location_in(answers):
                return location
    return None


def _location_in(answers: BinaryIO) -> str | None:
    """Return where the next answer leads; ValueError where it is none."""
    code = int(answers.readline(_LINE_LIMIT_BYTES).decode().split(" ")[1])
    headers = {}
    for _ in range(_LINES_LIMIT):
        line = answers.readline(_LINE_LIMIT_BYTES).decode().strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    is_redirect = 300 <= code < 400  # noqa: PLR2004 - RFC 2326, 7.1.1
    return headers.get("location") if is_redirect else None
