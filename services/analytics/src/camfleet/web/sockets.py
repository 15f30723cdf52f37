"""Connections of browsers: whose page opened one, and how a WebSocket is refused with a reason."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

FOREIGN = "this request comes from the page of another site"
BAD_REQUEST, FOREIGN_PAGE, ABSENT, ENDED, TOO_MANY = 4400, 4403, 4404, 4410, 4429


async def refuse(websocket: WebSocket, code: int, reason: str) -> None:
    """Close, but accept first: a browser learns code and reason in no other way."""
    await websocket.accept()
    await websocket.close(code, reason)


def comes_from_here(connection: HTTPConnection) -> bool:
    """False for a browser that shows somebody else's page; cookies must not work for that one."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")
