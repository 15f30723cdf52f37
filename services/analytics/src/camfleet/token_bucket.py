"""So many a second."""

import time
from collections.abc import Callable


class Bucket:
    """So many a second, and as many at once after a pause of a second. Not thread-safe."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(1.0, rate)
        self._left, self._at_s = self._most, clock()

    def take(self, count: int = 1) -> bool:
        """Take so many, which are no more than fit in; False when they are not there now."""
        self._fill()
        if self._left < count:
            return False
        self._left -= count
        return True

    def take_in_advance(self) -> float:
        """Take one now; the seconds after which there would have been one."""
        self._fill()
        self._left -= 1
        return max(0.0, -self._left / self._rate)

    def _fill(self) -> None:
        now_s = self._clock()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
