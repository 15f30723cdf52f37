"""How far the time stamps of a live source can be trusted, and at which rate they run."""

from collections import deque

_WINDOW_S = 4.0  # of each the earliest arrival counts: what held up the others is not the camera's
_MARKS = 3  # so that two spans of time can be compared
_LEAST_DEVIATION, _LIKENESS = 0.02, 0.3
_LEAST_PROGRESS = 0.005
_STEP_LIMIT_S = 2.0
_LEAPS, _LEAPS_WITHIN_S = 3, 20.0


class Stamps:
    """Watches what a source stamps beside what arrives.

    Attributes:
        rate: real seconds in a stamped second: 1 unless the source's clock is plainly wrong, as
            where a camera counts pictures of a rate that it does not keep.
    """

    def __init__(self) -> None:
        self.rate = 1.0
        self._latest: tuple[float, float] | None = None
        self._earliest: tuple[float, float] | None = None  # of this window
        self._ends_at = 0.0
        self._marks: deque[tuple[float, float]] = deque(maxlen=_MARKS)
        self._leaps: deque[float] = deque([float("-inf")] * _LEAPS, maxlen=_LEAPS)
        self._stands_still = False

    def note(self, media_s: float, arrived: float) -> None:
        """Take the stamp of the next picture and its arrival (time.monotonic())."""
        before, self._latest = self._latest, (media_s, arrived)
        passed_s = arrived - before[1] if before else 0.0
        if before and abs(passed_s - (media_s - before[0])) > _STEP_LIMIT_S:
            if passed_s < _STEP_LIMIT_S:  # else pictures were held up, which are stamped well
                self._leaps.append(arrived)
            self._marks.clear()
            self._earliest = None
        if self._earliest is None:
            self._earliest, self._ends_at = self._latest, arrived + _WINDOW_S
        elif self._lag(self._latest) < self._lag(self._earliest):
            self._earliest = self._latest
        if arrived >= self._ends_at:
            self._marks.append(self._earliest)
            self._earliest = None
            self._measure()

    def are_useless(self, arrived: float) -> bool:
        """Whether the stamps stand still, or leap about: then arrivals tell the time better."""
        return self._stands_still or arrived - self._leaps[0] < _LEAPS_WITHIN_S

    def _lag(self, mark: tuple[float, float]) -> float:
        return mark[1] - mark[0] * self.rate

    def _measure(self) -> None:
        if len(self._marks) < _MARKS:
            return
        (first, begun), (middle, midway), (last, ended) = self._marks
        self._stands_still = last - first < _LEAST_PROGRESS * (ended - begun)
        if self._stands_still or middle <= first or last <= middle:
            return
        rates = (midway - begun) / (middle - first), (ended - midway) / (last - middle)
        is_steady = abs(rates[0] - rates[1]) < _LIKENESS * abs(rates[0] - 1)
        is_wrong = all(abs(rate - 1) > _LEAST_DEVIATION for rate in rates)
        if is_wrong and is_steady:
            self.rate = (ended - begun) / (last - first)
        elif not is_wrong:
            self.rate = 1.0
