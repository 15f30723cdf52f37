"""The HTTP server of the service, which wakes for requests alone."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from camfleet_contracts.http_connections import GuardedConnection
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.tls import context_factory


class _Guarded(GuardedConnection, H11Protocol):
    pass


class HttpServer(uvicorn.Server):
    """Leaves signals to the service, and the date to each answer: uvicorn wakes to keep it.

    Args:
        tls: has the certificate and its key; None: clear text.
    """

    def __init__(self, app: ASGIApp, tls: FleetSettings | None) -> None:
        config = uvicorn.Config(
            _Dated(app),
            log_config=None,
            log_level="warning",
            lifespan="off",
            http=_Guarded,
            ws="none",
            date_header=False,
            ssl_context_factory=context_factory(tls.tls_cert, tls.tls_key) if tls else None,
        )
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Answer no more requests."""
        self.should_exit = self.force_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self._ending.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Dated:
    """Puts the date on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = b"date", formatdate(usegmt=True).encode()
                message["headers"] = [date, *message["headers"]]
            await send(message)

        await self._app(scope, receive, send_dated)
