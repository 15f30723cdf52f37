"""Bodies of requests, up to a bound."""

from starlette.requests import Request


async def read_body(request: Request, most_bytes: int) -> bytes | None:
    """The whole body; None as soon as it is larger, and then the rest stays unread."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            return None
    return body
