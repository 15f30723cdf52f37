"""The REST port: uvicorn in a thread of its own."""

import asyncio
import json
import math
import socket
import threading
from contextlib import suppress

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from camfleet_contracts.http_connections import GuardedConnection
from camfleet_contracts.tls import context_factory
from camfleet_server.transports.listening import PortTaken, TlsFiles, bind_address, written_address

_KEEP_ALIVE_S = 20
_CUT_LIMIT_S = 2.0
_TICK_S = 1.0


class GuardedProtocol(GuardedConnection, H11Protocol):
    """HTTP that does not wait for ever, and is refused in JSON."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in JSON as everything else."""
        body = json.dumps({"error": msg}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        head = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: Java offers HTTP/2 in every first request, and is answered in HTTP/1.1."""


class _QuietServer(uvicorn.Server):
    """Looks once a second, for the Date header, and not ten times, and ends when it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the end; in place of uvicorn's own."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK_S)

    def end(self) -> None:
        """Let requests finish and end; from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._told.set)


class RestServer:
    """Serves an ASGI application until it is stopped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._socket: socket.socket | None = None
        self._server: _QuietServer | None = None
        self._thread: threading.Thread | None = None
        self._tls: TlsFiles | None = None

    def bind(
        self, host: str, port: int, tls: TlsFiles | None = None, *, takes_ipv4: bool = True
    ) -> int:
        """Take an address (port 0: any free one) and return the port.

        `takes_ipv4`: an IPv6 wildcard takes IPv4 as well.

        Raises:
            PortTaken: somebody else listens there, or the address is not ours.
        """
        try:
            self._socket = bind_address(host, port, takes_ipv4=takes_ipv4)
        except OSError as error:
            address = written_address(host, port)
            raise PortTaken("REST", address, "--rest_port", str(error)) from error
        # Connections inherit it; asyncio sets it only where a socket names TCP, which this does
        # not. Without it the body of an answer waits 40 ms for the acknowledgement of its head.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tls = tls
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer; `bind` comes first."""
        tls = self._tls
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            http=GuardedProtocol,
            ws="none",
            ssl_context_factory=context_factory(tls.cert, tls.key) if tls else None,
        )
        self._server = _QuietServer(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="rest", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Take no new requests, let running ones finish for `timeout_s`, then cut them."""
        if self._server and self._thread:
            self._server.config.timeout_graceful_shutdown = max(1, math.ceil(timeout_s))
            self._server.end()
            self._thread.join(timeout_s + _CUT_LIMIT_S)
        if self._socket:
            self._socket.close()
