"""What lasts, a stream or live pictures, ends with the key that opened it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

CHECKED_EVERY_S = 5.0

Holds = Callable[[], Awaitable[bool]]


async def run_while(holds: Holds, work: Awaitable[None]) -> bool:
    """Run `work` to its end, then True; or until the key holds no more, then False."""
    working = asyncio.ensure_future(work)
    watching = asyncio.create_task(wait_until_lost(holds))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working  # raises what it raised
            return True
        return False
    finally:
        for task in (working, watching):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(working, watching, return_exceptions=True)


async def wait_until_lost(holds: Holds) -> None:
    """Return when the key holds no more."""
    while await holds():  # noqa: ASYNC110 - nobody tells it; the file is looked at
        await asyncio.sleep(CHECKED_EVERY_S)
