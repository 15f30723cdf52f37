"""What the ports share: TLS files, a unix socket, and how a taken address is told."""

import contextlib
import ipaddress
import os
import socket
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from camfleet_contracts.tls import server_context

BACKLOG = 512

_ANY_IPV6 = "::"
_OWNER_ONLY = 0o600
_LONGEST_SOCKET_PATH = 107  # bytes; clients could not connect to a longer one


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of the server's own certificate; clients are told apart by their keys."""

    cert: Path
    key: Path

    def check(self) -> None:
        """Read the files now: the REST port would only fail in its own thread.

        Raises:
            BadTlsFiles: one of them is missing, no PEM, or the key is not the certificate's.
        """
        try:
            server_context(self.cert, self.key)
        except OSError as error:
            raise BadTlsFiles(self, error.strerror or str(error)) from error


class BadTlsFiles(OSError):
    """TLS is asked for with files that cannot be used."""

    def __init__(self, files: TlsFiles, reason: str) -> None:
        """Name the files, why, and the variables that choose others."""
        super().__init__(
            f"TLS cannot use {files.cert}, {files.key}: {reason}; "
            "look at CAMFLEET_TLS_CERT and CAMFLEET_TLS_KEY"
        )


def bind_address(host: str, port: int, *, takes_ipv4: bool = True) -> socket.socket:
    """Take an address and listen; an IPv6 wildcard takes IPv4 as well where `takes_ipv4` is set.

    Raises:
        OSError: somebody else listens there, or the address is not ours.
    """
    kind = socket.SOCK_STREAM
    family, *_, address = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            is_alone = host != _ANY_IPV6 or not takes_ipv4
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(is_alone))
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def addresses_of(host: str) -> tuple[str, ...]:
    """Return the addresses to listen on for a host: of a name all that this machine has.

    A name that has none here is returned as it is, for whoever binds it to be told.
    """
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return (host,)
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return (host,)
    addresses = dict.fromkeys((family, str(address[0])) for family, *_, address in found)
    return tuple(address for family, address in addresses if _is_ours(family, address)) or (host,)


def written_address(host: str, port: int) -> str:
    """Write an address as clients take it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_without_ipv4(addresses: Iterable[str]) -> bool:
    """Tell whether none is of IPv4, so that an IPv6 wildcard among them has to take it as well."""
    return not any("." in address for address in addresses)


def _is_ours(family: int, address: str) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


class PortTaken(OSError):
    """The address cannot be listened on."""

    def __init__(self, what: str, address: str, option: str, reason: str) -> None:
        """Say which address of whom, why, and which option chooses another."""
        super().__init__(f"{what} cannot listen on {address}: {reason}; choose another: {option}")


class UnixSocket:
    """The file of a unix socket: made for this user alone, never taken from a living server."""

    def __init__(self, path: Path, option: str) -> None:
        self._path = path
        self._option = option
        self._inode = 0

    def take(self, listen: Callable[[Path], object]) -> None:
        """Let `listen` bind in a folder nobody else can open, then move the socket to its place.

        Raises:
            PortTaken: somebody listens there, it is no socket, its path is too long, or the folder
                cannot be written.
        """
        length = len(os.fsencode(self._path))
        if length > _LONGEST_SOCKET_PATH:
            raise self._taken(
                f"a unix socket's path has {_LONGEST_SOCKET_PATH} bytes, not {length}"
            )
        if self._is_answering():
            raise self._taken("another server listens there")
        try:
            if self._path.exists() and not self._path.is_socket():
                raise self._taken("there is a file of that name, and no socket")
            with tempfile.TemporaryDirectory(prefix=".", dir=self._path.parent) as folder:
                temporary = Path(folder) / "s"
                listen(temporary)
                temporary.chmod(_OWNER_ONLY)
                self._inode = temporary.stat().st_ino
                temporary.replace(self._path)
        except (OSError, RuntimeError) as error:
            if isinstance(error, PortTaken):
                raise
            raise self._taken(str(error)) from error

    def remove(self) -> None:
        """Remove the file, unless another server put its own there."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _is_answering(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self._path))
            except OSError:
                return False
            return True

    def _taken(self, reason: str) -> PortTaken:
        return PortTaken("gRPC", str(self._path), self._option, reason)
