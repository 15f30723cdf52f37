"""A cache that knows how many bytes it holds."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


class ByteBoundCache(Generic[Value]):
    """Keeps what was used last, up to a number of bytes; any thread may ask."""

    def __init__(self, limit_bytes: int, size_of: Callable[[Value], int]) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self._size_of = size_of
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()
        self._changing = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of the key; make it if it is not held."""
        with self._changing:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        value = make()  # without the lock: two threads may both make it, which does no harm
        with self._changing:
            self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: Value) -> None:
        if key in self._entries:
            return
        self._entries[key] = value
        self.held_bytes += self._size_of(value)
        while self.held_bytes > self.limit_bytes:
            _, dropped = self._entries.popitem(last=False)
            self.held_bytes -= self._size_of(dropped)
