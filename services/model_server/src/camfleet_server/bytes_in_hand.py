"""How much memory requests in hand may hold together, of what the transports do not count."""

import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_server.errors import ServerBusy

_MOST_BYTES = 1 << 30  # as for messages
_COUNTED_BYTES = 1 << 18  # smaller ones are not worth a lock


class BytesInHand:
    """Bounds the large arrays that are in hand at once; one alone always fits."""

    def __init__(self, origin: str, most_bytes: int = _MOST_BYTES) -> None:
        self._origin = origin  # of the bytes, for people
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._lock = threading.Lock()

    def new_buffer(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return an array that counts until nobody holds it any more; raises ServerBusy."""
        self._take(size_bytes)
        buffer = np.empty(size_bytes, np.uint8)
        self._give_back_after(buffer, size_bytes)
        return buffer

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """Count an array until nobody holds its memory any more; raises ServerBusy."""
        self._take(array.nbytes)
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        self._give_back_after(owner, array.nbytes)
        return array

    def _take(self, size_bytes: int) -> None:
        if size_bytes < _COUNTED_BYTES:
            return
        with self._lock:
            if self._held_bytes and self._held_bytes + size_bytes > self._most_bytes:
                raise ServerBusy(f"{self._held_bytes >> 20} MiB {self._origin} are in hand")
            self._held_bytes += size_bytes

    def _give_back_after(self, array: NDArray[Any], size_bytes: int) -> None:
        if size_bytes >= _COUNTED_BYTES:
            weakref.finalize(array, self._give_back, size_bytes)

    def _give_back(self, size_bytes: int) -> None:
        with self._lock:
            self._held_bytes -= size_bytes
