"""What crossed lines and came into zones, minute by minute, for the last day."""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from camfleet.lines import Crossing
from camfleet.zones import ZoneEvent
from camfleet_contracts.clock import rfc3339

MINUTE_S = 60
KEPT_MINUTES = 24 * 60

_Minute = dict[str, dict[str, dict[str, int]]]


class IntervalCounts:
    """One camera's counts by minute of capture. One thread writes, others read."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()

    def add_crossing(self, at: datetime, crossing: Crossing) -> None:
        """Count one crossing."""
        line = self._of(at, "lines").setdefault(crossing.line, {"in": 0, "out": 0})
        line[crossing.direction] += 1

    def add_zone_event(self, at: datetime, event: ZoneEvent) -> None:
        """Count one coming or going, and how full the zone was."""
        begin = {"entered": 0, "left": 0, "dwelt": 0, "peak": 0}
        zone = self._of(at, "zones").setdefault(event.zone, begin)
        zone[event.happening] += 1
        zone["peak"] = max(zone["peak"], event.occupancy)

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

    def _of(self, at: datetime, kind: str) -> dict[str, dict[str, int]]:
        minute = int(at.timestamp()) // MINUTE_S
        counted = self._minutes.setdefault(minute, {"lines": {}, "zones": {}})
        while len(self._minutes) > KEPT_MINUTES:
            self._minutes.popitem(last=False)
        return counted[kind]


def _add(total: _Minute, counted: _Minute) -> None:
    for kind, places in counted.items():
        for name, figures in places.items():
            row = total[kind].setdefault(name, dict.fromkeys(figures, 0))
            for figure, value in figures.items():
                row[figure] = max(row[figure], value) if figure == "peak" else row[figure] + value


def _time(seconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
