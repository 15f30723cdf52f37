"""What clients of the stream have acknowledged."""

import threading
from collections.abc import Iterable

MAX_CLIENTS = 1000  # clients choose their names; the one that was quiet longest is forgotten


class Acknowledgements:
    """The position each client has dealt with. Thread-safe."""

    def __init__(self, kept: Iterable[tuple[str, int]] = ()) -> None:
        self._lock = threading.Lock()
        self._positions: dict[str, int] = dict(kept)  # the newest acknowledgement last
        self._changed: dict[str, int | None] = {}  # None: forgotten

    def note(self, client: str, position: int) -> None:
        """An acknowledgement never goes back."""
        with self._lock:
            position = max(position, self._positions.pop(client, 0))
            self._positions[client] = self._changed[client] = position
            if len(self._positions) > MAX_CLIENTS:
                forgotten = next(iter(self._positions))
                del self._positions[forgotten]
                self._changed[forgotten] = None

    def find(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""
        with self._lock:
            return self._positions.get(client)

    def take_changed(self) -> dict[str, int | None]:
        """What is to be written; None for a client that is forgotten."""
        with self._lock:
            changed, self._changed = self._changed, {}
        return changed

    def give_back(self, changed: dict[str, int | None]) -> None:
        """It could not be written."""
        with self._lock:
            self._changed = changed | self._changed
