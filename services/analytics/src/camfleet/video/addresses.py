"""Addresses of streams: what may be opened, and with whose credentials."""

from pathlib import Path
from urllib.parse import urlsplit

from camfleet_contracts.redaction import redact
from camfleet_contracts.secret_references import Credentials, with_login

ALLOWED_SCHEMES = frozenset({"rtsp", "rtsps"})
_PORTS = {"rtsp": 554, "rtsps": 322}
_SAME_HOSTS = {"localhost": "127.0.0.1"}


class RefusedAddress(ValueError):
    """The address is none that analytics reads from."""

    def __init__(self, address: str) -> None:
        super().__init__(f"cannot read {redact(address)}: use an address that begins with rtsp://")


def check_address(address: str) -> str:
    """The address when it may be opened (FFmpeg would open files too); raises RefusedAddress."""
    parts = urlsplit(address)
    if parts.scheme.lower() not in ALLOWED_SCHEMES or not parts.hostname:
        raise RefusedAddress(address)
    return address


def file_address(path: Path | str) -> str:
    """What PyAV opens as this file, whatever its name: `12:30.mp4` names no protocol `12`."""
    return f"file:{path}"


def with_default_login(address: str, credentials: Credentials) -> str:
    """The address with user and password in it, quoted; an address that has them keeps its own."""
    return address if "@" in urlsplit(address).netloc else with_login(address, credentials)


def normal_form(address: str) -> str:
    """A form that all spellings of an address share; user and password are part of it.

    Raises:
        ValueError: it is not an address.
    """
    parts, (host, port) = urlsplit(address), place_of(address)
    rights = parts.netloc.rpartition("@")[0]
    return f"{parts.scheme}://{rights}@{host}:{port}{parts.path or '/'}?{parts.query}"


def place_of(address: str) -> tuple[str, int]:
    """Host and port, also where the address leaves the port to its scheme.

    Raises:
        ValueError: it is not an address.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    return _SAME_HOSTS.get(host, host), parts.port or _PORTS.get(parts.scheme, 0)
