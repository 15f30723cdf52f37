"""Addresses the gRPC port listens on; every connection gets a thread that reads it."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from camfleet_contracts.logs import get_logger
from camfleet_contracts.tls import server_context
from camfleet_server.transports.http2.channels import Channel, PlainChannel, TlsChannel
from camfleet_server.transports.listening import BACKLOG, TlsFiles

logger = get_logger(__name__)

_PAUSE_S = 0.1  # after an accept that failed, as it does when there are too many open files

Accept: TypeAlias = Callable[[Channel, str], None]
"""Takes a new connection and the name of its peer; must not wait."""


class Listener:
    """One listening socket and the thread that accepts."""

    def __init__(self, sock: socket.socket, tls: TlsFiles | None, accept: Accept) -> None:
        self._socket = sock
        self._context = None if tls is None else server_context(tls.cert, tls.key, ["h2"])
        self._accept = accept
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grpc-accept", daemon=True)

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def stop(self) -> None:
        """Accept nobody any more."""
        self._is_stopped.set()
        if self._thread.ident is not None:
            _wake(self._socket)
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._is_stopped.is_set():
            try:
                accepted, address = self._socket.accept()
            except OSError as error:
                if not self._is_stopped.is_set():
                    logger.warning("accept_failed", error=str(error))
                    self._is_stopped.wait(_PAUSE_S)
                continue
            try:
                self._begin(accepted, address)
            # The thread must go on: one bad connection must not close the port.
            except Exception as error:
                logger.exception("connection_refused", error=repr(error))
                accepted.close()

    def _begin(self, accepted: socket.socket, address: tuple[str, int] | str) -> None:
        channel: Channel
        if self._context is None:
            channel = PlainChannel(accepted)
        else:
            channel = TlsChannel(accepted, self._context)
        self._accept(channel, peer_name(accepted.family, address))


def bind_path(path: Path) -> socket.socket:
    """Take a path for a unix socket.

    Raises:
        OSError: it cannot be made there.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def peer_name(family: int, address: tuple[str, int] | str) -> str:
    """Name a peer as gRPC does: `ipv4:1.2.3.4:5`, `ipv6:%5B::1%5D:5` or `unix:`."""
    if family == socket.AF_UNIX:
        return "unix:"
    host, port = str(address[0]), address[1]
    if host.startswith("::ffff:") and "." in host:  # IPv4 on a wildcard of IPv6
        host = host.removeprefix("::ffff:")
    if ":" in host:
        return f"ipv6:{quote(f'[{host}]', safe=':')}:{port}"
    return f"ipv4:{host}:{port}"


def _wake(listening: socket.socket) -> None:
    try:
        listening.shutdown(socket.SHUT_RDWR)  # accept returns with an error
    except OSError:
        return
