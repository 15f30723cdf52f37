"""Who crossed the counting line of the demo street, and when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from camfleet_capture.demo.lens import HEIGHT
from camfleet_capture.demo.plan import CYCLE_S, GATE_Y, bottom_y
from camfleet_capture.demo.traffic import FIRST_CYCLE, LONGEST_STAY, Mover, Traffic


@dataclass(frozen=True, slots=True)
class Crossing:
    """One mover crossed a line; down the picture is in, up is out."""

    id: int
    label: str
    line: str
    direction: str
    time_s: float

    def facts(self) -> dict[str, object]:
        """What truth tells of it; `asdict` copies deeply and takes thirty times as long."""
        return {
            "id": self.id,
            "label": self.label,
            "line": self.line,
            "direction": self.direction,
            "time_s": self.time_s,
        }


class CrossingBook:
    """The crossings of a traffic; what is long past is kept as sums only."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._of_cycle = lru_cache(maxsize=64)(self._find_of_cycle)
        self._adding = Lock()  # truth is asked for by more than one thread
        self._sums = [(0, 0)]  # (in, out) of all cycles before FIRST_CYCLE + index

    def until(self, until_s: float, most: int | None = None) -> list[Crossing]:
        """Crossings after time 0 up to until_s in order of time; `most` keeps the latest."""
        found: list[Crossing] = []
        settled = 0
        for cycle in range(_last_cycle(until_s), FIRST_CYCLE - 1, -1):
            found += [crossing for crossing in self._of_cycle(cycle) if crossing.time_s <= until_s]
            # A cycle that begins now cannot add to the latest when later ones have filled the list.
            settled = settled + 1 if most is not None and len(found) >= most else 0
            if settled > 2 * LONGEST_STAY:
                break
        ordered = sorted(found, key=lambda crossing: (crossing.time_s, crossing.id))
        return ordered if most is None else ordered[-most:]

    def counts(self, until_s: float) -> dict[str, int]:
        """Number of crossings after time 0 up to until_s by direction."""
        last = _last_cycle(until_s)
        past = max(last - 2 * LONGEST_STAY, FIRST_CYCLE)
        incoming, outgoing = self._sum_before(past)
        for cycle in range(past, last + 1):
            on_time = [c.direction for c in self._of_cycle(cycle) if c.time_s <= until_s]
            incoming += on_time.count("in")
            outgoing += on_time.count("out")
        return {"in": incoming, "out": outgoing}

    def _sum_before(self, cycle: int) -> tuple[int, int]:
        with self._adding:
            while len(self._sums) <= cycle - FIRST_CYCLE:
                last = self._of_cycle(FIRST_CYCLE + len(self._sums) - 1)
                directions = [crossing.direction for crossing in last]
                incoming, outgoing = self._sums[-1]
                sums = incoming + directions.count("in"), outgoing + directions.count("out")
                self._sums.append(sums)
            return self._sums[cycle - FIRST_CYCLE]

    def _find_of_cycle(self, cycle: int) -> tuple[Crossing, ...]:
        found = (_crossing_of(mover) for mover in self._traffic.of_cycle(cycle))
        return tuple(crossing for crossing in found if crossing is not None and crossing.time_s > 0)


def _last_cycle(time_s: float) -> int:
    return int(time_s // CYCLE_S) + LONGEST_STAY


def _crossing_of(mover: Mover) -> Crossing | None:
    """When a mover crosses the gate: every way crosses it at most once."""
    route = mover.route
    before, after = route.begins_s, route.ends_s

    def is_above(time_s: float) -> bool:
        return bottom_y(mover.label, route.place(time_s).z) < GATE_Y * HEIGHT

    comes_down = is_above(before)
    if comes_down == is_above(after):
        return None
    while after - before > 1e-6:  # noqa: PLR2004 - a millionth of a second is exact enough
        middle = (before + after) / 2
        if is_above(middle) == comes_down:
            before = middle
        else:
            after = middle
    return Crossing(mover.id, mover.label, "gate", "in" if comes_down else "out", round(after, 4))
