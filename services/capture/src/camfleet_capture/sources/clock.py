"""Where a source's time stamps fall on this machine's monotonic clock."""

import time

from camfleet_capture.access_unit import CLOCK_HZ
from camfleet_capture.sources.stamps import Stamps
from camfleet_capture.stop import Stop

_JUMP_S = 2.0
_DRIFT_SHARE = 0.06  # of what a picture is late, in a second
_LATE_LIMIT_S = 1.0
_LONGEST_STEP_S = 10.0
_SHORTEST_STEP_S = 0.001


class LiveClock:
    """Maps the time stamps of a live source: true distances, smoothed arrival.

    The earliest arrivals define the offset; it follows the camera's drift slowly. A jump of the
    time stamps (or a pause) starts anew at the arrival, never before what was placed already.
    Stamps of a clock that runs at another rate are stretched; useless ones give way to arrivals.
    """

    def __init__(self) -> None:
        self._stamps = Stamps()
        self._rate = 1.0
        self._from: tuple[float, float] | None = None  # a stamp, and where it is placed
        self._skew_s = 0.0
        self._latest, self._latest_arrival = 0.0, 0.0  # of what is placed; of all

    def place(self, media_s: float, arrived: float) -> tuple[int, float]:
        """Return ticks and the moment shown of a picture stamped `media_s` by its source."""
        self._stamps.note(media_s, arrived)
        if self._from is None or self._stamps.are_useless(arrived):
            self._begin(media_s, arrived)
        elif self._rate != self._stamps.rate:
            self._from = media_s, self._placed(media_s)
            self._rate = self._stamps.rate
        if abs(self._error(media_s, arrived)) > _JUMP_S:
            self._begin(media_s, arrived)
        error = self._error(media_s, arrived)
        passed_s, self._latest_arrival = arrived - self._latest_arrival, arrived
        self._skew_s += error if error < 0 else error * min(0.5, passed_s * _DRIFT_SHARE)
        placed = self._placed(media_s)
        self._latest = max(self._latest, placed)
        return round(placed * CLOCK_HZ), placed + self._skew_s

    def _begin(self, media_s: float, arrived: float) -> None:
        at = max(arrived, self._latest + _SHORTEST_STEP_S)
        self._from, self._skew_s = (media_s, at), arrived - at

    def _placed(self, media_s: float) -> float:
        stamp, placed = self._from or (media_s, 0.0)
        return placed + (media_s - stamp) * self._rate

    def _error(self, media_s: float, arrived: float) -> float:
        return arrived - self._placed(media_s) - self._skew_s


class Pacer:
    """Waits until things are due; after a long hold-up the schedule moves, nothing is rushed.

    Args:
        real_time: False for what shows as soon as its readers take it: nothing is waited for.
    """

    def __init__(self, stop: Stop, *, real_time: bool = True) -> None:
        self._stop, self._real_time = stop, real_time
        self.shift_s = 0.0

    def wait(self, due: float) -> bool:
        """Wait for `due` (time.monotonic(), before shifts); False when stopped meanwhile."""
        if not self._real_time:
            return not self._stop.is_set()
        rest = due + self.shift_s - time.monotonic()
        if rest < -_LATE_LIMIT_S:
            self.shift_s -= rest
        return not self._stop.wait(max(0.0, rest))


class PullPacer:
    """Paces what a server gives as fast as it is taken, by its time stamps.

    A jump of these begins anew.
    """

    def __init__(self, stop: Stop) -> None:
        self._pacer = Pacer(stop)
        self._origin: float | None = None
        self._newest_s = 0.0

    def wait(self, media_s: float) -> bool:
        """Wait until the packet of this time is due; False when stopped meanwhile."""
        step_s = media_s - self._newest_s
        if self._origin is None or not -_JUMP_S < step_s < _LONGEST_STEP_S:
            self._origin = time.monotonic() - self._pacer.shift_s - media_s
        self._newest_s = media_s
        return self._pacer.wait(self._origin + media_s)
