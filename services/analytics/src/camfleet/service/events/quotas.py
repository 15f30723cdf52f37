"""What one key may take from the stream: connections, and messages a second over all of them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CONNECTIONS, MESSAGES_PER_S = 50, 1000.0
SENT_PER_RECEIVED = 2  # a client never needs to send more than one acknowledgement a message


class Bucket:
    """So many a second, and as many at once after a pause of a second."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(1.0, rate)
        self._left, self._at_s = self._most, clock()

    def take(self) -> bool:
        """Take one; False when there is none left now."""
        self._fill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def wait_for_one(self) -> None:
        """Take one now, and wait until there would have been one."""
        self._fill()
        self._left -= 1
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate)

    def _fill(self) -> None:
        now_s = self._clock()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s


class QuotaExceeded(Exception):
    """A key wants more than it may have; the text says what and how much."""


class KeyQuotas:
    """The quotas of all keys. Lives in the event loop."""

    def __init__(
        self, connections: int = CONNECTIONS, messages_per_s: float = MESSAGES_PER_S
    ) -> None:
        self.left_out = 0  # results that were over a quota; events wait instead
        self.refused = 0  # connections
        self._connections, self._rate = connections, messages_per_s
        self._uses: dict[str, list[Bucket]] = {}  # by key: its bucket, once a connection

    @contextmanager
    def connection(self, key: str) -> Iterator[Bucket]:
        """The bucket of a key while a connection of it lasts.

        Raises:
            QuotaExceeded: it has as many as it may.
        """
        uses = self._uses.setdefault(key, [])
        if len(uses) >= self._connections:
            self.refused += 1
            raise QuotaExceeded(f"key '{key}' has {len(uses)} connections already, its quota")
        bucket = uses[0] if uses else Bucket(self._rate)
        uses.append(bucket)
        try:
            yield bucket
        finally:
            uses.pop()
            if not uses:
                del self._uses[key]

    def incoming(self) -> Bucket:
        """How fast one connection may send."""
        return Bucket(self._rate * SENT_PER_RECEIVED)
