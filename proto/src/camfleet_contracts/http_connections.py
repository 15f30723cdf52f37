"""Connections of HTTP that do not wait for ever, for uvicorn's protocol of h11.

Without this, whoever reaches a port opens connections and sends nothing, until the process has no
file descriptor left for anything else: cameras, models, events.
"""

import asyncio
from typing import Any

import h11

from camfleet_contracts.http_requests import StrictConnection

HEADERS_LIMIT_S = 20.0
MOST_CONNECTIONS = 512  # of one address; more would take the file descriptors the rest needs
_BUSY = object()


class GuardedConnection(asyncio.Protocol):
    """Connections are counted, and headers have to arrive; stands in front of H11Protocol.

    Requests are read as RFC 9112 says.
    """

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]
    cycle: Any
    conn: h11.Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Take a connection, or drop it when there are too many."""
        super().connection_made(transport)
        self.conn = StrictConnection(h11.SERVER)
        self._next_look = self.loop.call_later(HEADERS_LIMIT_S, self._look, None)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection; a look that is still to come would hold it for so long."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _look(self, seen: object) -> None:
        """Close a connection that has been without a whole request since the last look."""
        speaks_http = self.transport.get_protocol() is self  # and no WebSocket
        if self.transport.is_closing() or not speaks_http:
            return
        is_idle = self.cycle is None or self.cycle.response_complete
        state = self.cycle if is_idle else _BUSY
        if is_idle and state is seen:
            self.transport.close()
            return
        self._next_look = self.loop.call_later(HEADERS_LIMIT_S, self._look, state)
