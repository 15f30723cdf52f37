"""What crossed lines and came into zones, minute by minute, for the last day.

A line tells the error of its total (docs/decisions/0020). Its square grows by what each interval
adds, so an interval's own error is the root of the difference to the square before it.
"""

import math
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from camfleet_contracts.clock import rfc3339

MINUTE_S = 60
KEPT_MINUTES = 24 * 60

_HIGHEST = {"peak", "error"}  # figures of which the highest counts, not the sum
_FIGURES = {"lines": ("in", "out", "error"), "zones": ("entered", "left", "dwelt", "peak")}
_Figure = int | float
_Minute = dict[str, dict[str, dict[str, _Figure]]]


class IntervalCounts:
    """One camera's counts by minute of capture. One thread writes, others read."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()

    def add(self, minute: int, kind: str, place: str, figure: str, value: _Figure) -> None:
        """Count so much more of a figure of a line or zone; of some the highest counts."""
        figures: dict[str, _Figure] = dict.fromkeys(_FIGURES[kind], 0)
        row = self._of(minute)[kind].setdefault(place, figures)
        _grow(row, figure, value)

    def read(self, interval_s: int) -> list[dict[str, Any]]:
        """Sums of intervals (a multiple of a minute) in which something happened, oldest first."""
        sums: dict[int, _Minute] = {}
        for minute, counted in tuple(self._minutes.items()):
            start = minute * MINUTE_S // interval_s * interval_s
            _add(sums.setdefault(start, {"lines": {}, "zones": {}}), counted)
        known: dict[str, float] = {}
        return [
            {"from": _time(start), "to": _time(start + interval_s), **_told(sums[start], known)}
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
                _grow(row, figure, value)


def _grow(row: dict[str, _Figure], figure: str, value: _Figure) -> None:
    row[figure] = max(row[figure], value) if figure in _HIGHEST else row[figure] + value


def _told(counted: _Minute, known: dict[str, float]) -> dict[str, Any]:
    """An interval with the errors of its own; `known` are the totals' errors before it."""
    lines: dict[str, dict[str, float | None]] = {
        name: {**figures, "error": _own_error(figures["error"], known.get(name))}
        for name, figures in counted["lines"].items()
    }
    known |= {name: figures["error"] for name, figures in counted["lines"].items()}
    return {"lines": lines, "zones": counted["zones"]}


def _own_error(total: float, before: float | None) -> float | None:
    """None where the error before is not known; a total that began anew has only its own."""
    if before is None:
        return None
    return round(math.sqrt(total**2 - before**2) if total >= before else total, 2)


def _time(seconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
