"""Cars of the demo street: bodies made of flat faces, drawn in true perspective."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from camfleet_capture.demo.canvas import Canvas, Colour, mixed, shaded
from camfleet_capture.demo.dice import falls
from camfleet_capture.demo.lens import LENS, Point2, Point3

PAINTS: tuple[Colour, ...] = (
    (198, 34, 38), (32, 82, 160), (232, 232, 228), (44, 46, 52), (150, 154, 160),
    (240, 190, 40), (38, 110, 88), (122, 168, 204), (208, 112, 44), (112, 44, 66),
)  # fmt: skip
GLASS: Colour = (46, 60, 74)
SKY: Colour = (168, 196, 222)
TYRE: Colour = (24, 24, 27)
PLATE: Colour = (236, 236, 222)


@dataclass(frozen=True, slots=True)
class Body:
    """The side view of a car from its tail to its nose: (way forward, height, half width)."""

    profile: tuple[tuple[float, float, float], ...]
    glass: frozenset[int]  # pieces of the profile that are windows
    belt: float  # height of the lower edge of the side windows
    cabin: tuple[int, int]  # first and last point of the profile that belong to the cabin
    axles: tuple[float, float]


HATCHBACK = Body(
    (
        (0.0, 0.28, 0.82), (0.0, 0.86, 0.86), (0.12, 0.95, 0.86), (0.5, 1.43, 0.66),
        (2.05, 1.47, 0.66), (2.95, 0.97, 0.84), (3.85, 0.78, 0.82), (4.0, 0.6, 0.8),
        (4.0, 0.28, 0.8),
    ),
    frozenset({2, 4}), 0.95, (2, 5), (0.72, 3.22),
)  # fmt: skip
SALOON = Body(
    (
        (0.0, 0.28, 0.84), (0.0, 0.84, 0.86), (0.1, 0.95, 0.87), (0.75, 0.98, 0.87),
        (1.4, 1.4, 0.66),
        (2.5, 1.42, 0.66), (3.35, 0.96, 0.86), (4.25, 0.78, 0.84), (4.4, 0.6, 0.82),
        (4.4, 0.28, 0.82),
    ),
    frozenset({3, 5}), 0.96, (3, 6), (0.85, 3.5),
)  # fmt: skip
ESTATE = Body(
    (
        (0.0, 0.32, 0.86), (0.0, 0.95, 0.89), (0.06, 1.05, 0.89), (0.32, 1.6, 0.72),
        (2.45, 1.64, 0.72), (3.25, 1.08, 0.88), (4.2, 0.95, 0.87), (4.35, 0.72, 0.85),
        (4.35, 0.32, 0.85),
    ),
    frozenset({2, 4}), 1.05, (2, 5), (0.82, 3.45),
)  # fmt: skip
VAN = Body(
    (
        (0.0, 0.32, 0.92), (0.0, 1.1, 0.94), (0.03, 1.2, 0.94), (0.12, 1.98, 0.86),
        (3.3, 2.02, 0.86), (4.05, 1.2, 0.92), (4.6, 1.02, 0.9), (4.75, 0.75, 0.88),
        (4.75, 0.32, 0.88),
    ),
    frozenset({2, 4}), 1.2, (2, 5), (0.9, 3.8),
)  # fmt: skip
BODIES = (HATCHBACK, SALOON, ESTATE, HATCHBACK, SALOON, VAN)


@dataclass(frozen=True, slots=True)
class Model:
    """A body and its paint."""

    body: Body
    paint: Colour
    taxi: bool

    @property
    def length_m(self) -> float:
        """From tail to nose."""
        return self.body.profile[-1][0]


@dataclass(frozen=True, slots=True)
class _Face:
    """A flat piece of a car: x to its right, height, way forward from the tail."""

    points: tuple[Point3, ...]
    colour: Colour
    above: float = 0.0  # drawn after its neighbours if greater


def model(look: int) -> Model:
    """The car that belongs to a number."""
    chance = np.random.default_rng((815, look))
    body = BODIES[int(chance.integers(len(BODIES)))]
    taxi = body is SALOON and falls(chance, 0.35)
    paint = PAINTS[5] if taxi else PAINTS[int(chance.integers(len(PAINTS)))]
    return Model(body, paint, taxi)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a car stands: its middle line, its near end, and whether that is its nose."""

    x: float
    z: float
    nose_near: bool
    length_m: float

    def seen(self, point: Point3) -> Point2:
        """Pixel position of a point of the car."""
        x, height, forward = point
        if self.nose_near:
            return LENS.to_picture((self.x - x, height, self.z + self.length_m - forward))
        return LENS.to_picture((self.x + x, height, self.z + forward))


def draw_car(canvas: Canvas, car: Model, stand: Stand, corner: Point2) -> None:
    """Draw a car; corner is the picture position of the canvas."""
    faces = _wheels(car.body) + _sides(car) + _skin(car) + _ends(car) + _roof_sign(car)
    visible = []
    for face in faces:
        points = [stand.seen(point) for point in face.points]
        visible.append((_nearness(face, stand), points, face.colour))
    for _, points, colour in sorted(visible, key=lambda face: face[0]):
        if _area(points) > 0:
            canvas.fill([(x - corner[0], y - corner[1]) for x, y in points], colour)


def _nearness(face: _Face, stand: Stand) -> float:
    forward = sum(point[2] for point in face.points) / len(face.points)
    return face.above * 10 + (forward if stand.nose_near else -forward)


def _area(points: list[Point2]) -> float:
    """Twice the signed area; positive for faces whose corners run clockwise in the picture."""
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)


def _skin(car: Model) -> list[_Face]:
    """Everything that runs across the car: bonnet, windscreen, roof, rear window, tail."""
    faces = []
    profile = car.body.profile
    for index, (start, end) in enumerate(itertools.pairwise(profile)):
        corners = (
            (-start[2], start[1], start[0]), (-end[2], end[1], end[0]),
            (end[2], end[1], end[0]), (start[2], start[1], start[0]),
        )  # fmt: skip
        slope = math.atan2(end[1] - start[1], end[0] - start[0])
        light = 0.78 + 0.3 * math.cos(slope)
        window = index in car.body.glass
        faces.append(_Face(corners, shaded(car.paint, light), 0.1))
        if window:
            faces.append(_Face(_inset(corners, 0.1), GLASS, 0.2))
            faces.append(_Face(_inset(corners, 0.16, top=0.5), mixed(GLASS, SKY, 0.45), 0.3))
    return faces


def _inset(corners: tuple[Point3, ...], by: float, top: float = 0.0) -> tuple[Point3, ...]:
    """A smaller face in the same plane; `top` cuts off the half at the start of the profile."""
    middle = tuple(sum(point[axis] for point in corners) / len(corners) for axis in range(3))
    smaller = [
        tuple(point[axis] + (middle[axis] - point[axis]) * by for axis in range(3))
        for point in corners
    ]
    start, end, end_right, start_right = smaller
    blend = [
        tuple(a + (b - a) * top for a, b in zip(*pair, strict=True))
        for pair in ((start, end), (start_right, end_right))
    ]
    faces = (blend[0], end, end_right, blend[1])
    return tuple((x, height, forward) for x, height, forward in faces)


def _sides(car: Model) -> list[_Face]:
    """Doors and side windows; the right side and its mirror image."""
    body = car.body
    first, last = body.cabin
    lower = [(p[2], p[1], p[0]) for p in body.profile if p[1] <= body.belt + 0.05]
    cabin = [(p[2], p[1], p[0]) for p in body.profile[first : last + 1]]
    faces = []
    for sign in (1, -1):
        for points, colour, above in (
            (lower, shaded(car.paint, 0.7), 0.0),
            (cabin, shaded(car.paint, 0.6), 0.0),
            (_window(cabin), GLASS, 0.05),
        ):
            outline = tuple((x * sign, height, forward) for x, height, forward in points)
            faces.append(_Face(outline if sign > 0 else outline[::-1], colour, above))
    return faces


def _window(cabin: list[Point3]) -> list[Point3]:
    middle = [sum(point[axis] for point in cabin) / len(cabin) for axis in range(3)]
    return [
        (x, height + (middle[1] - height) * 0.2, forward + (middle[2] - forward) * 0.14)
        for x, height, forward in cabin
    ]


def _wheels(body: Body) -> list[_Face]:
    faces = []
    for sign in (1, -1):
        for axle in body.axles:
            for radius, colour, above in ((0.33, TYRE, 0.01), (0.19, (150, 152, 156), 0.02)):
                circle = [
                    (0.85 * sign, 0.33 + math.sin(a) * radius, axle + math.cos(a) * radius)
                    for a in np.linspace(0, math.tau, 16, endpoint=False)
                ]
                faces.append(_Face(tuple(circle[::-sign]), colour, above))
    for sign in (1, -1):  # seen from the end, below the bumper
        for forward, direction in ((body.axles[0] - 0.3, 1), (body.axles[1] + 0.3, -1)):
            left, right = sorted((0.6 * sign, 0.84 * sign))
            corners = (
                (left, 0.0, forward),
                (left, 0.4, forward),
                (right, 0.4, forward),
                (right, 0.0, forward),
            )
            faces.append(_Face(corners[::direction], TYRE, -0.3))
    return faces


def _ends(car: Model) -> list[_Face]:
    """Lamps, plates and the grille."""
    nose, tail = car.length_m + 0.01, -0.01
    high = car.body.profile[-2][1]
    high_tail = car.body.profile[1][1]
    faces = [
        _panel((-0.42, 0.42), (high - 0.2, high - 0.06), nose, (28, 28, 32)),
        _panel((-0.25, 0.25), (0.36, 0.47), nose, PLATE),
        _panel((-0.8, 0.8), (0.28, 0.34), nose, (30, 30, 34)),
        _panel((-0.26, 0.26), (0.55, 0.67), tail, PLATE),
        _panel((-0.82, 0.82), (0.28, 0.42), tail, (38, 38, 42)),
    ]
    for sign in (-1, 1):
        inner, outer = sorted((0.46 * sign, 0.78 * sign))
        faces.append(_panel((inner, outer), (high - 0.18, high - 0.02), nose, (250, 248, 232)))
        inner, outer = sorted((0.56 * sign, 0.84 * sign))
        faces.append(
            _panel((inner, outer), (high_tail - 0.24, high_tail - 0.06), tail, (168, 24, 26))
        )
    return faces


def _panel(
    across: tuple[float, float], heights: tuple[float, float], forward: float, colour: Colour
) -> _Face:
    left, right = across
    low, high = heights
    corners = (
        (left, low, forward),
        (left, high, forward),
        (right, high, forward),
        (right, low, forward),
    )
    return _Face(corners if forward < 1 else corners[::-1], colour, 0.4)


def _roof_sign(car: Model) -> list[_Face]:
    if not car.taxi:
        return []
    faces = []
    for forward, order in ((1.9, 1), (2.1, -1)):
        corners = (
            (-0.28, 1.4, forward),
            (-0.28, 1.6, forward),
            (0.28, 1.6, forward),
            (0.28, 1.4, forward),
        )
        faces.append(_Face(corners[::order], (250, 246, 220), 0.5))
    return faces
