"""Who is in the demo street when: drawn from the seed, one cycle of the traffic light at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from camfleet_capture.demo.dice import falls
from camfleet_capture.demo.motion import (
    AWAY,
    TOWARDS,
    Drive,
    Halt,
    Route,
    Wait,
    Walk,
    walk_length,
    walk_through,
)
from camfleet_capture.demo.plan import (
    CAR_LANE,
    CYCLE_LANE,
    CYCLE_S,
    FAR_END,
    KERB,
    NEAR_END,
    WALK_FROM_S,
    ZEBRA,
    lane_x,
)

FIRST_CYCLE = -4  # the street is busy before time 0
LONGEST_STAY = 4  # cycles after its own in which a mover may still be seen
IDS_PER_CYCLE = 100


@dataclass(frozen=True, slots=True)
class Mover:
    """One person, car or bicycle and its way through the street."""

    id: int
    label: str
    look: int  # any number; drawings choose model and colours by it
    route: Route


@dataclass(frozen=True, slots=True)
class Lane:
    """What the drivers of a lane have in common."""

    label: str
    x: float
    direction: int
    speed: float
    brake: float
    start: float
    headway_s: float
    queue_gap_m: float
    stop_front: float  # where the first front end stops
    contact_m: float
    most: int  # free drivers per cycle
    queue: tuple[int, int]  # least and most that stop per cycle


def _car_lane(direction: int) -> Lane:
    towards = direction == TOWARDS
    return Lane(
        label="car",
        x=lane_x(-CAR_LANE if towards else CAR_LANE),
        direction=direction,
        speed=7.0,
        brake=2.2,
        start=1.9,
        headway_s=2.3,
        queue_gap_m=6.4,
        stop_front=ZEBRA[1] + 1.3 if towards else ZEBRA[0] - 1.3,
        contact_m=0.7 if towards else 3.5,
        most=4,
        queue=(1, 2),
    )


def _cycle_lane(direction: int) -> Lane:
    towards = direction == TOWARDS
    return Lane(
        label="bicycle",
        x=lane_x(-CYCLE_LANE if towards else CYCLE_LANE),
        direction=direction,
        speed=4.3,
        brake=1.6,
        start=1.2,
        headway_s=2.6,
        queue_gap_m=2.6,
        stop_front=ZEBRA[1] + 0.6 if towards else ZEBRA[0] - 0.6,
        contact_m=0.33 if towards else 1.4,
        most=2,
        queue=(0, 1),
    )


LANES = (_car_lane(TOWARDS), _car_lane(AWAY), _cycle_lane(TOWARDS), _cycle_lane(AWAY))


class Traffic:
    """All movers of a seed; any cycle can be asked for, in any order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._cycle = lru_cache(maxsize=64)(self._draw_cycle)

    def of_cycle(self, cycle: int) -> tuple[Mover, ...]:
        """The movers that belong to a cycle, whenever they can be seen."""
        return self._cycle(cycle) if cycle >= FIRST_CYCLE else ()

    def at(self, time_s: float) -> list[Mover]:
        """The movers that are on their way at time_s."""
        now = int(time_s // CYCLE_S)
        near = range(now - LONGEST_STAY, now + LONGEST_STAY + 1)
        return [
            mover
            for cycle in near
            for mover in self.of_cycle(cycle)
            if mover.route.begins_s <= time_s < mover.route.ends_s
        ]

    def _draw_cycle(self, cycle: int) -> tuple[Mover, ...]:
        chance = np.random.default_rng((self._seed, cycle - FIRST_CYCLE))
        begins_s = cycle * CYCLE_S
        routes: list[tuple[str, Route]] = []
        for lane in LANES:
            routes += [(lane.label, route) for route in _drives(lane, begins_s, chance)]
        routes += [("person", walk) for walk in _strollers(begins_s, chance)]
        routes += [("person", walk) for walk in _crossers(begins_s, chance)]
        first = (cycle - FIRST_CYCLE) * IDS_PER_CYCLE + 1
        looks = chance.integers(0, 2**16, size=len(routes))
        return tuple(
            Mover(first + index, label, int(looks[index]), route)
            for index, (label, route) in enumerate(routes)
        )


def _drives(lane: Lane, cycle_s: float, chance: np.random.Generator) -> list[Drive]:
    """First those that meet a green light, then those that must stop for the red one."""
    to_stop_m = abs(lane.stop_front - (FAR_END + 2 if lane.direction == TOWARDS else NEAR_END - 2))
    drives = []
    passes_s = cycle_s + 6.6 + chance.uniform(0, 1)
    last_green_s = cycle_s + 14.2
    for _ in range(lane.most):
        if passes_s > last_green_s:
            break
        drives.append(_drive(lane, passes_s - to_stop_m / lane.speed, None, chance))
        passes_s += lane.headway_s + chance.exponential(0.7)
    passes_s = max(passes_s, cycle_s + 16.4) + chance.uniform(0, 1.2)
    for place in range(int(chance.integers(lane.queue[0], lane.queue[1] + 1))):
        halt = Halt(
            distance_m=to_stop_m - place * lane.queue_gap_m,
            release_s=cycle_s + CYCLE_S + 0.7 + 1.0 * place + chance.uniform(0, 0.2),
            brake=lane.brake,
            start=lane.start,
        )
        drives.append(_drive(lane, passes_s - to_stop_m / lane.speed, halt, chance))
        passes_s += lane.headway_s + chance.uniform(0.2, 1.0)
    return drives


def _drive(lane: Lane, begins_s: float, halt: Halt | None, chance: np.random.Generator) -> Drive:
    x = lane.x + chance.uniform(-0.12, 0.12)
    return Drive(begins_s, lane.speed, x, lane.direction, lane.contact_m, halt)


def _strollers(cycle_s: float, chance: np.random.Generator) -> list[Walk]:
    """People who stay on their pavement, a few of them side by side."""
    walks = []
    for side in (-1, 1):
        for direction, offset in ((TOWARDS, 6.3), (AWAY, 8.0)):
            begins_s = cycle_s + chance.uniform(0, 6)
            for _ in range(int(chance.integers(1, 4))):
                x = lane_x(side * (offset + chance.uniform(-0.2, 0.2)))
                speed = chance.uniform(1.25, 1.4)
                walks.append(_stroll(x, direction, begins_s, speed))
                if falls(chance, 0.12):
                    walks.append(_stroll(x + side * 0.75, direction, begins_s + 0.12, speed))
                begins_s += chance.uniform(5.0, 8.0)
    return walks


def _stroll(x: float, direction: int, begins_s: float, speed: float) -> Walk:
    points = [(x, FAR_END), (x, NEAR_END)]
    return walk_through(points if direction == TOWARDS else points[::-1], begins_s, speed)


def _crossers(cycle_s: float, chance: np.random.Generator) -> list[Walk]:
    """People who come from the far end, wait at the zebra crossing and walk over it."""
    walks = []
    depths = chance.permutation(np.linspace(ZEBRA[0] + 0.5, ZEBRA[1] - 0.3, 6))
    for index in range(int(chance.integers(2, 6))):
        side = -1 if falls(chance, 0.5) else 1
        depth = float(depths[index])
        points = [
            (lane_x(side * 7.2), FAR_END if falls(chance, 0.75) else NEAR_END),
            (lane_x(side * 7.0), depth),
            (lane_x(side * (KERB + 0.3)), depth),
            (lane_x(-side * (KERB + 0.8)), depth),
            (lane_x(-side * 7.2), FAR_END if falls(chance, 0.6) else NEAR_END),
        ]
        speed = chance.uniform(1.45, 1.6)
        steps_off_s = cycle_s + WALK_FROM_S + chance.uniform(0, 1.2)
        wait = Wait(at=2, seconds=chance.uniform(0.5, 6), heading=np.pi / 2 * -side)
        begins_s = steps_off_s - wait.seconds - walk_length(points[:3]) / speed
        walks.append(walk_through(points, begins_s, speed, wait))
    return walks
