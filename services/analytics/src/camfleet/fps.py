"""How fast a loop runs."""

import time
from typing import Self


class FPS:
    """Counts the frames between start() and stop(), or until now."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._began_s: float | None = None
        self._ended_s: float | None = None
        self._num_frames = 0

    def start(self) -> Self:
        """Begin to measure, from zero."""
        self._began_s, self._ended_s, self._num_frames = time.perf_counter(), None, 0
        return self

    def update(self) -> None:
        """One frame is done."""
        self._num_frames += 1

    def stop(self) -> None:
        """End the measurement."""
        self._ended_s = time.perf_counter()

    def get_elapsed_seconds(self) -> float:
        """Seconds from start() to stop(), or to now; 0 where stop() came and no loop before it.

        Raises:
            RuntimeError: start() was not called.
        """
        if self._began_s is None:
            if self._ended_s is not None and not self._num_frames:
                return 0.0  # in a `finally`: what kept the loop from beginning is the news
            raise RuntimeError("FPS: call start() before the loop")
        ended_s = time.perf_counter() if self._ended_s is None else self._ended_s
        return ended_s - self._began_s

    def compute_fps(self) -> float:
        """Frames per second.

        Raises:
            RuntimeError: start() was not called.
        """
        return self._num_frames / max(self.get_elapsed_seconds(), 1e-9)
