"""Chooses the frames of a stream that a wanted rate asks for."""

from camfleet.video.frames import Frame


class Pacer:
    """Works on the stream's own time, so that uneven arrival costs no frames. Not thread-safe."""

    def __init__(self, rate: float) -> None:
        self._period_s = 1.0 / rate
        self._due_s: float | None = None
        self._last: tuple[int, int, float] | None = None  # connection, number, pts_s
        self._interval_s = 0.0

    def is_due(self, frame: Frame) -> bool:
        """True for a frame to look at; frames must come in their order."""
        self._learn_interval(frame)
        if self._due_s is not None and frame.pts_s + self._interval_s / 2 < self._due_s:
            return False
        behind = self._due_s is None or frame.pts_s - self._due_s > self._period_s
        self._due_s = (
            frame.pts_s if behind or self._due_s is None else self._due_s
        ) + self._period_s
        return True

    def _learn_interval(self, frame: Frame) -> None:
        last, self._last = self._last, (frame.connection, frame.number, frame.pts_s)
        if last is None:
            return
        connection, number, pts_s = last
        if frame.connection != connection or frame.pts_s < pts_s:
            self._due_s = None
        elif frame.number > number:
            self._interval_s = (frame.pts_s - pts_s) / (frame.number - number)
