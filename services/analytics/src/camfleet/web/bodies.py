"""Bodies of requests, up to a bound."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request

LONGEST_S = 30.0


async def read_body(request: Request, most_bytes: int) -> bytes | None:
    """The whole body; None as soon as it is larger, and then the rest stays unread.

    Raises:
        HTTPException: 408, it takes too long to come.
    """
    body = b""
    try:
        async with asyncio.timeout(LONGEST_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    return None
    except TimeoutError as error:
        reason = f"the body did not come within {LONGEST_S:g} s"
        raise HTTPException(408, reason, {"connection": "close"}) from error
    return body
