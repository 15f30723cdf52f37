"""When the newest pictures came, and how many bytes they had."""

import time
from collections import deque

_WINDOW = 60
_ENOUGH = 15


class Arrivals:
    """One thread notes; anybody may ask."""

    def __init__(self) -> None:
        self._newest: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

    def note(self, size_bytes: int) -> None:
        """A picture has come."""
        self._newest.append((time.monotonic(), size_bytes))

    def clear(self) -> None:
        """The source is lost."""
        self._newest.clear()

    @property
    def age_s(self) -> float:
        """Seconds since the newest picture; infinite before the first."""
        return time.monotonic() - self._newest[-1][0] if self._newest else float("inf")

    @property
    def fps(self) -> float | None:
        """Pictures a second over the newest 60; None while there are too few."""
        noted = tuple(self._newest)
        span_s = noted[-1][0] - noted[0][0] if len(noted) >= _ENOUGH else 0.0
        return round((len(noted) - 1) / span_s, 2) if span_s > 0 else None

    @property
    def bits_per_s(self) -> float | None:
        """Bits a second over the same pictures."""
        fps, sizes = self.fps, [size for _, size in tuple(self._newest)]
        return round(8 * fps * sum(sizes) / len(sizes)) if fps and sizes else None
