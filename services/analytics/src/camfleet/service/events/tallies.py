"""What cameras counted by minute, and what their zones saw in all, kept beside the events.

It is added up from the events themselves, so that what is written with an event is true after
any death of the process.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from camfleet.service.interval_counts import MINUTE_S, IntervalCounts
from camfleet_contracts.events import Envelope

IN_ALL = 0  # the minute that stands for all time
_ZONE_FIGURES = {"zone_entered": "entered", "zone_left": "left", "zone_dwelt": "dwelt"}


class Tally(NamedTuple):
    """So much more of one figure; of `peak` and `longest_s` the highest counts, not the sum."""

    camera: str
    minute: int  # since 1970, or IN_ALL
    kind: str  # "lines" or "zones"
    place: str
    figure: str
    value: float


@dataclass(slots=True)
class ZoneTotals:
    """What a zone has seen since the outbox began."""

    entered: int = 0
    left: int = 0
    longest_s: float = 0.0

    def add(self, figure: str, value: float) -> None:
        """Take in one tally."""
        if figure == "entered":
            self.entered += int(value)
        elif figure == "left":
            self.left += int(value)
        else:
            self.longest_s = max(self.longest_s, value)


class Tallies:
    """All tallies of this device, in memory. Not thread-safe."""

    def __init__(self, kept: Iterable[Tally] = ()) -> None:
        self._intervals: dict[str, IntervalCounts] = {}
        self._zones: dict[tuple[str, str], ZoneTotals] = {}
        for tally in kept:
            self._add(tally)

    def note(self, message: Envelope) -> None:
        """Add what an event says."""
        for tally in tallies_of(message):
            self._add(tally)

    def intervals(self, camera: str, interval_s: int) -> list[dict[str, Any]]:
        """What a camera counted in each interval of the last day, oldest first."""
        return self._intervals.get(camera, IntervalCounts()).read(interval_s)

    def zone(self, camera: str, zone: str) -> ZoneTotals:
        """What one zone saw in all."""
        return self._zones.get((camera, zone), ZoneTotals())

    def _add(self, tally: Tally) -> None:
        camera, minute, kind, place, figure, value = tally
        if minute == IN_ALL:
            self._zones.setdefault((camera, place), ZoneTotals()).add(figure, value)
        else:
            counts = self._intervals.setdefault(camera, IntervalCounts())
            counts.add(minute, kind, place, figure, value if figure == "error" else int(value))


def tallies_of(message: Envelope) -> list[Tally]:
    """What one event adds; nothing for what is not counted."""
    label, facts = message.results.get("event_label"), message.results.get("data", {})
    if message.camera is None or message.captured_at is None:
        return []
    minute = int(datetime.fromisoformat(message.captured_at).timestamp()) // MINUTE_S
    if label == "line_crossed":
        place = message.camera, minute, "lines", facts["line"]
        return [Tally(*place, facts["direction"], 1), Tally(*place, "error", facts["count_error"])]
    if label in _ZONE_FIGURES:
        return _tallies_of_zone(message.camera, minute, _ZONE_FIGURES[label], facts)
    return []


def _tallies_of_zone(camera: str, minute: int, figure: str, facts: dict[str, Any]) -> list[Tally]:
    def tally(at: int, figure: str, value: float) -> Tally:
        return Tally(camera, at, "zones", facts["zone"], figure, value)

    tallies = [tally(minute, figure, 1), tally(minute, "peak", facts["occupancy"])]
    if figure != "dwelt":
        tallies.append(tally(IN_ALL, figure, 1))
    if figure == "left":
        tallies.append(tally(IN_ALL, "longest_s", facts["dwell_s"]))
    return tallies
