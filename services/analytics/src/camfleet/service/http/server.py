"""uvicorn on a socket that is ours, ended by the usual signals."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import uvicorn

from camfleet.web.connections import GuardedHttp
from camfleet_contracts.access import App, speaks_tls
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.tls import context_factory

logger = logging.getLogger(__name__)

GRACE_S = 2


class CannotListen(Exception):
    """The address or port cannot be had."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to us: uvicorn would raise them again and spoil the exit code."""
        yield


class HttpServer:
    """Listens once entered, so that a taken port is known before anything starts."""

    def __init__(self, settings: FleetSettings, port: int) -> None:
        self._settings, self._port = settings, port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        """Raises CannotListen."""
        try:
            self._socket = _listen(self._settings.bind_address, self._port)
        except OSError as error:
            raise CannotListen(str(error)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def run(self, app: App, ending: Callable[[], None]) -> None:
        """Serve until SIGINT or SIGTERM; `ending` then lets go of answers that have no end."""
        asyncio.run(self._serve(app, ending))

    async def _serve(self, app: App, ending: Callable[[], None]) -> None:
        settings = self._settings
        is_encrypted = speaks_tls(settings.bind_address, settings)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=GuardedHttp,
            timeout_graceful_shutdown=GRACE_S,
            ws_per_message_deflate=False,  # coded video gets no smaller, and each viewer would pay
            ssl_context_factory=context_factory(settings.tls_cert, settings.tls_key)
            if is_encrypted
            else None,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # we say that we listen
        server = _Server(config)

        def end() -> None:
            server.should_exit = True
            ending()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
        listening = self._socket
        if listening is None:
            raise RuntimeError("run() belongs inside the with block")
        host, port = listening.getsockname()[:2]
        logger.info("listening http=%s:%s", host, port)
        await server.serve(sockets=[listening])


def _listen(address: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Else an answer in two pieces waits 40 ms for the first one to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((address, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    listening.set_inheritable(False)
    return listening
