"""The REST port: uvicorn in a thread of its own."""

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from camfleet_server.transports.listening import PortTaken, TlsFiles

_BACKLOG = 128


class RestServer:
    """Serves an ASGI application until it is stopped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._tls: TlsFiles | None = None

    def bind(self, host: str, port: int, tls: TlsFiles | None = None) -> int:
        """Take an address (port 0: any free one) and return the port.

        Raises:
            PortTaken: somebody else listens there, or the address is not ours.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise PortTaken("REST", f"{host}:{port}", "--rest_port", str(error)) from error
        self._tls = tls
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer; `bind` comes first."""
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=3,
            ssl_certfile=str(self._tls.cert) if self._tls else None,
            ssl_keyfile=str(self._tls.key) if self._tls else None,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="rest", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Let running requests finish, then end the thread and free the port."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(timeout_s)
        if self._socket:
            self._socket.close()
