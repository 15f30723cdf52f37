"""How this package's HTTP servers hold their connections."""

from uvicorn.protocols.http.h11_impl import H11Protocol

from camfleet_contracts.http_connections import GuardedConnection


class GuardedHttp(GuardedConnection, H11Protocol):
    """HTTP and WebSocket whose connections are counted, and do not wait for ever."""
