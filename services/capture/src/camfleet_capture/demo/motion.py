"""How one mover gets through the street: a pure function from time to place."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Protocol

from camfleet_capture.demo.plan import FAR_END, NEAR_END

TOWARDS = -1  # z falls: the mover comes down the picture
AWAY = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mover stands on the ground, where it looks and how far it has come."""

    x: float
    z: float  # of the point that touches the ground nearest to the camera
    heading: float  # radians; 0 = away from the camera, pi / 2 = to the right
    travelled_m: float
    speed: float
    braking: bool = False


class Route(Protocol):
    """A way through the street."""

    @property
    def begins_s(self) -> float: ...
    @property
    def ends_s(self) -> float: ...
    def place(self, time_s: float) -> Place: ...


@dataclass(frozen=True, slots=True)
class Halt:
    """A stop at the traffic light."""

    distance_m: float
    release_s: float
    brake: float
    start: float


@dataclass(frozen=True, slots=True)
class Drive:
    """A straight way along a lane at one speed, with at most one halt."""

    begins_s: float
    speed: float
    x: float
    direction: int
    contact_m: (
        float  # from the front end to the wheel that touches the ground nearest to the camera
    )
    halt: Halt | None = None

    @property
    def length_m(self) -> float:
        """Length of the way of the front end, with room for the tail to leave."""
        return FAR_END - NEAR_END + 8.0

    @property
    def ends_s(self) -> float:
        """Time at which the way is done."""
        free_s = self.begins_s + self.length_m / self.speed
        if self.halt is None:
            return free_s
        left_m = self.length_m - self.halt.distance_m
        return self.halt.release_s + left_m / self.speed + self.speed / (2 * self.halt.start)

    def place(self, time_s: float) -> Place:
        """Where it is at time_s."""
        travelled, speed, braking = self._progress(time_s)
        front = FAR_END + 2 - travelled if self.direction == TOWARDS else NEAR_END - 2 + travelled
        heading = math.pi if self.direction == TOWARDS else 0.0
        z = front - self.direction * self.contact_m
        return Place(self.x, max(z, 0.5), heading, travelled, speed, braking)

    def _progress(self, time_s: float) -> tuple[float, float, bool]:
        free_m = self.speed * (time_s - self.begins_s)
        if self.halt is None:
            return free_m, self.speed, False
        braking_m = self.speed**2 / (2 * self.halt.brake)
        if free_m < self.halt.distance_m - braking_m:
            return free_m, self.speed, False
        if time_s >= self.halt.release_s:
            return self._after_halt(self.halt, time_s - self.halt.release_s)
        since_s = (free_m - (self.halt.distance_m - braking_m)) / self.speed
        speed = max(self.speed - self.halt.brake * since_s, 0.0)
        return self.halt.distance_m - speed**2 / (2 * self.halt.brake), speed, True

    def _after_halt(self, halt: Halt, since_s: float) -> tuple[float, float, bool]:
        speed = min(halt.start * since_s, self.speed)
        gained = speed**2 / (2 * halt.start)
        cruise_s = max(since_s - self.speed / halt.start, 0.0)
        return halt.distance_m + gained + cruise_s * self.speed, speed, False


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight piece of a walk; equal ends are a wait."""

    begins_s: float
    ends_s: float
    start: tuple[float, float]
    end: tuple[float, float]
    travelled_m: float
    heading: float


@dataclass(frozen=True, slots=True)
class Walk:
    """A way on foot through way-points."""

    legs: tuple[Leg, ...]

    @property
    def begins_s(self) -> float:
        """Time of the first step."""
        return self.legs[0].begins_s

    @property
    def ends_s(self) -> float:
        """Time of the last step."""
        return self.legs[-1].ends_s

    def place(self, time_s: float) -> Place:
        """Where the walker is at time_s."""
        index = bisect_right(self.legs, time_s, key=lambda leg: leg.begins_s) - 1
        leg = self.legs[max(index, 0)]
        span_s = leg.ends_s - leg.begins_s
        part = min(max((time_s - leg.begins_s) / span_s, 0.0), 1.0) if span_s > 0 else 1.0
        (x0, z0), (x1, z1) = leg.start, leg.end
        length = math.hypot(x1 - x0, z1 - z0)
        return Place(
            x=x0 + (x1 - x0) * part,
            z=z0 + (z1 - z0) * part,
            heading=leg.heading,
            travelled_m=leg.travelled_m + length * part,
            speed=length / span_s if span_s > 0 else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause of a walker before a way-point is left."""

    at: int
    seconds: float
    heading: float


def walk_through(
    points: list[tuple[float, float]], begins_s: float, speed: float, wait: Wait | None = None
) -> Walk:
    """Walk through the points, with a pause at one of them."""
    legs: list[Leg] = []
    clock, travelled, heading = begins_s, 0.0, 0.0
    for index, (start, end) in enumerate(itertools.pairwise(points)):
        if wait is not None and index == wait.at:
            legs.append(Leg(clock, clock + wait.seconds, start, start, travelled, wait.heading))
            clock += wait.seconds
        length = math.dist(start, end)
        heading = math.atan2(end[0] - start[0], end[1] - start[1])
        legs.append(Leg(clock, clock + length / speed, start, end, travelled, heading))
        clock += length / speed
        travelled += length
    return Walk(tuple(legs))


def walk_length(points: list[tuple[float, float]]) -> float:
    """Length of the way through the points."""
    return sum(math.dist(start, end) for start, end in itertools.pairwise(points))
