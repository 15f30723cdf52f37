"""What crossed lines and came into zones, minute by minute, for the last day."""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from camfleet_contracts.clock import rfc3339

MINUTE_S = 60
KEPT_MINUTES = 24 * 60

_FIGURES = {"lines": ("in", "out"), "zones": ("entered", "left", "dwelt", "peak")}
_Minute = dict[str, dict[str, dict[str, int]]]


class IntervalCounts:
    """One camera's counts by minute of capture. One thread writes, others read."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()

    def add(self, minute: int, kind: str, place: str, figure: str, value: int) -> None:
        """Count so much more of a figure of a line or zone; of a peak the highest counts."""
        figures = dict.fromkeys(_FIGURES[kind], 0)
        row = self._of(minute)[kind].setdefault(place, figures)
        row[figure] = max(row[figure], value) if figure == "peak" else row[figure] + value

    def read(self, interval_s: int) -> list[dict[str, Any]]:
        """Sums of intervals (a multiple of a minute) in which something happened, oldest first."""
        sums: dict[int, _Minute] = {}
        for minute, counted in tuple(self._minutes.items()):
            start = minute * MINUTE_S // interval_s * interval_s
            _add(sums.setdefault(start, {"lines": {}, "zones": {}}), counted)
        return [
            {"from": _time(start), "to": _time(start + interval_s), **sums[start]}
            for start in sorted(sums)
        ]

    def _of(self, minute: int) -> _Minute:
        counted = self._minutes.setdefault(minute, {"lines": {}, "zones": {}})
        while len(self._minutes) > KEPT_MINUTES:
            self._minutes.popitem(last=False)
        return counted


def _add(total: _Minute, counted: _Minute) -> None:
    for kind, places in counted.items():
        for name, figures in places.items():
            row = total[kind].setdefault(name, dict.fromkeys(figures, 0))
            for figure, value in figures.items():
                row[figure] = max(row[figure], value) if figure == "peak" else row[figure] + value


def _time(seconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
