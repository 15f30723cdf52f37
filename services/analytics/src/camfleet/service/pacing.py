"""Chooses the frames of a stream that a wanted rate asks for."""

import math

from camfleet.video.frames import Frame

TIE_S = 0.001  # a frame half way between two is the earlier one's, whatever its clock rounds to


class Pacer:
    """Works on the stream's own time, so that uneven arrival costs no frames. Not thread-safe.

    Frames are due at multiples of the period of that time, whenever it began: pipelines of one
    stream choose the same ones.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._due: int | None = None  # in periods of the stream's time
        self._last: tuple[int, int, float] | None = None  # connection, number, pts_s
        self._interval_s = 0.0

    def is_due(self, frame: Frame) -> bool:
        """True for a frame to look at; frames must come in their order."""
        self._learn_interval(frame)
        early_s = min(self._interval_s, 1 / self._rate) / 2 + TIE_S
        reached = math.floor((frame.pts_s + early_s) * self._rate)
        if self._due is not None and reached < self._due:
            return False
        is_behind = self._due is None or frame.pts_s * self._rate - self._due > 1
        self._due = 1 + (reached if is_behind or self._due is None else self._due)
        return True

    def _learn_interval(self, frame: Frame) -> None:
        last, self._last = self._last, (frame.connection, frame.number, frame.pts_s)
        if last is None:
            return
        connection, number, pts_s = last
        if frame.connection != connection or frame.pts_s < pts_s:
            self._due = None
        elif frame.number > number:
            self._interval_s = (frame.pts_s - pts_s) / (frame.number - number)
