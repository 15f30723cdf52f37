"""What one key may take from the stream: connections, and messages a second over all of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from camfleet.token_bucket import Bucket
from camfleet_contracts.packets import PACKETS_PER_S

CONNECTIONS, MESSAGES_PER_S = 50, 1000.0
SENT_PER_RECEIVED = 2  # a client never needs to send more than one acknowledgement a message


class QuotaExceeded(Exception):
    """A key wants more than it may have; the text says what and how much."""


class KeyQuotas:
    """The quotas of all keys. Lives in the event loop."""

    def __init__(
        self, connections: int = CONNECTIONS, messages_per_s: float = MESSAGES_PER_S
    ) -> None:
        self.left_out = 0  # results that were over a quota; events wait instead
        self.refused = 0  # connections
        self._publishers: dict[str, Bucket] = {}  # by key
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

    def packets(self, key: str) -> Bucket:
        """How many packets a key may publish."""
        return self._publishers.setdefault(key, Bucket(PACKETS_PER_S))
