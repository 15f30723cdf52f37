"""Addresses of files: which may be asked, what they are called, and what may be shown of them."""

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

_SCHEMES = ("http", "https")


class BadAddress(ValueError):
    """An address that no file can be had from."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{public_address(address)}: {reason}")


def is_address(text: str) -> bool:
    """Whether it is meant as an address and not as the name of a model."""
    return "://" in text


def public_address(address: str) -> str:
    """The address without user, password, query and fragment, which may hold secrets."""
    parts = urlsplit(address)
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def file_name_of(address: str) -> str:
    """The name of the file that an address ends with.

    Raises:
        BadAddress: it is none of HTTP, or ends with no file name.
    """
    parts = urlsplit(address)
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
        raise BadAddress(address, "use an address that begins with http:// or https://")
    name = PurePosixPath(unquote(parts.path)).name
    if not PurePosixPath(name).suffix or "\0" in name or name.startswith("."):
        raise BadAddress(address, "must end with the name of a file, such as model.onnx")
    return name
