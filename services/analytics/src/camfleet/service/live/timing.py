"""Decode times and durations of live frames, of which only the show times are known."""

from collections import deque
from heapq import heappush, heappushpop

_INTERVALS_KEPT = 30
_SHOW_TIMES_KEPT = 16


class DecodeTimes:
    """Gives frames in decoding order rising decode times that never pass their show times.

    With frames out of order by at most `depth`, the decode time of a frame is the smallest show
    time that is not yet given out; the first `depth` frames are put before the first show time.
    """

    def __init__(self, depth: int, interval: int) -> None:
        self._depth = depth
        self._interval = interval
        self._waiting: list[int] = []
        self._first: int | None = None
        self._last: int | None = None

    def next(self, show_time: int) -> int:
        """The decode time of the next frame in decoding order."""
        if self._first is None:
            self._first = show_time
        missing = self._depth - len(self._waiting)
        if missing > 0:
            heappush(self._waiting, show_time)
            wanted = self._first - missing * self._interval
        else:
            wanted = heappushpop(self._waiting, show_time)
        if self._last is not None:
            wanted = max(wanted, self._last + 1)
        self._last = wanted
        return wanted


class FrameInterval:
    """How far apart frames are, watched in their decode times."""

    def __init__(self, nominal: int) -> None:
        self._nominal = nominal
        self._recent: deque[int] = deque(maxlen=_INTERVALS_KEPT)
        self._last: int | None = None

    def saw(self, decode_time: int) -> None:
        """Note one frame."""
        if self._last is not None:
            self._recent.append(decode_time - self._last)
        self._last = decode_time

    @property
    def promised_duration(self) -> int:
        """A duration to give a frame whose successor is not there yet.

        Too long does no harm in a browser; too short does: a gap of more than twice the duration
        makes it drop everything up to the next key frame.
        """
        return 2 * max(self._nominal, *self._recent, 0)


class ReorderWatch:
    """How many frames a stream was seen to send ahead of one that is shown before them."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_SHOW_TIMES_KEPT)
        self.depth = 0

    def saw(self, show_time: int) -> None:
        """Note one frame, in decoding order."""
        ahead = sum(earlier > show_time for earlier in self._recent)
        self.depth = max(self.depth, ahead)
        self._recent.append(show_time)

    def forget(self) -> None:
        """A new sequence begins: what came before is not ahead of anything."""
        self._recent.clear()
