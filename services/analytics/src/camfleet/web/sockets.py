"""WebSockets of browsers: who may open one, and how one is refused with a reason."""

from urllib.parse import urlsplit

from starlette.websockets import WebSocket

BAD_REQUEST, FOREIGN_PAGE, ABSENT, ENDED, TOO_MANY = 4400, 4403, 4404, 4410, 4429


async def refuse(websocket: WebSocket, code: int, reason: str) -> None:
    """Close, but accept first: a browser learns code and reason in no other way."""
    await websocket.accept()
    await websocket.close(code, reason)


def comes_from_here(websocket: WebSocket) -> bool:
    """False for a browser that shows somebody else's page; cookies must not work for that one."""
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == websocket.headers.get("host")
