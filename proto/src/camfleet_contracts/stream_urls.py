"""What is wrong with the address of a network camera, as people type it or copy it from manuals."""

import re
import socket
from urllib.parse import urlsplit

from camfleet_contracts.redaction import has_broken_login

_NETWORK = re.compile(r"(?:rtsps?|https?)://([^/?#]*)(.*)", re.DOTALL)
_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]|[^:\[\]]*)(:.*)?")
_NAME = re.compile(r"[\w.-]+|\[.*\]")
_PORTS = range(1, 65_536)


def fault_of_url(source: str) -> str | None:
    """Return what is wrong with an address, without its login; None also for other sources."""
    if not (network := _NETWORK.fullmatch(source)):
        return None
    if has_broken_login(source):
        return (
            "the user or password in it holds a /, ? or #: write %2F, %3F or %23 in its place, or "
            "take the login out and give it as credentials"
        )
    return _fault_of_place(network[1].rpartition("@")[2]) or _fault_of_path(network[2])


def unknown_host_of(url: str) -> str | None:
    """Return in words that this machine knows no host of the address's name; None if it does."""
    host = urlsplit(url).hostname
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return f"no host '{host}' is known here; check the name, or use the camera's IP address"
    return None


def _fault_of_place(place: str) -> str | None:
    parts = _PLACE.fullmatch(place)
    if parts is None or (place.count(":") > 1 and not place.startswith("[")):
        return "an IPv6 address stands in brackets, as in rtsp://[fd00::20]:554/live"
    host, port = parts[1], (parts[2] or ":554")[1:]
    if not host:
        return "names no host; write it as in rtsp://192.168.1.20/live"
    if not _NAME.fullmatch(host):
        return f"'{host}' is no host; write a name or an IP address in its place"
    is_port = port.isascii() and port.isdigit() and int(port) in _PORTS
    return None if is_port else "what follows the ':' of the host is no port from 1 to 65535"


def _fault_of_path(path: str) -> str | None:
    return "has a space in it; write %20 in its place" if re.search(r"\s", path) else None
