"""Drawing with Pillow at several times the final size, and figures made of round limbs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from camfleet_capture.demo.lens import Point2, Point3

Colour = tuple[int, int, int]


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour, darker (factor < 1) or nearer to white (factor > 1)."""
    if factor <= 1:
        return _bytes(part * factor for part in colour)
    return _bytes(part + (255 - part) * (factor - 1) for part in colour)


def mixed(one: Colour, other: Colour, part: float) -> Colour:
    """The colour that is this part of the way from one to the other."""
    return _bytes(a + (b - a) * part for a, b in zip(one, other, strict=True))


def _bytes(parts: Iterable[float]) -> Colour:
    red, green, blue = (min(max(int(part), 0), 255) for part in parts)
    return red, green, blue


class Canvas:
    """A transparent picture in final pixels, drawn `fine` times larger."""

    def __init__(self, width: int, height: int, fine: int = 3) -> None:
        self._size = (max(width, 1), max(height, 1))
        self._fine = fine
        self._image = Image.new("RGBa", (self._size[0] * fine, self._size[1] * fine))
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, points: list[Point2], colour: Colour, alpha: int = 255) -> None:
        """Fill a polygon."""
        if len(points) > 2:  # noqa: PLR2004 - what a polygon needs
            scaled = [(x * self._fine, y * self._fine) for x, y in points]
            self._draw.polygon(scaled, fill=(*colour, alpha))

    def line(self, points: list[Point2], colour: Colour, width: float) -> None:
        """Draw a line through the points."""
        scaled = [(x * self._fine, y * self._fine) for x, y in points]
        self._draw.line(
            scaled, fill=(*colour, 255), width=max(round(width * self._fine), 1), joint="curve"
        )

    def disc(self, centre: Point2, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        x, y, r = (value * self._fine for value in (*centre, radius))
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=(*colour, 255))

    def finished(self) -> Image.Image:
        """The picture in its final size, with the colour multiplied by alpha (RGBa)."""
        # Where nothing is drawn all four are zero, so the mean is multiplied by alpha too.
        return self._image.reduce(self._fine)


def hull(points: list[Point2]) -> list[Point2]:
    """The convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(points))
    if len(ordered) < 3:  # noqa: PLR2004 - nothing to enclose
        return ordered
    return _chain(ordered)[:-1] + _chain(ordered[::-1])[:-1]


def _chain(ordered: list[Point2]) -> list[Point2]:
    chain: list[Point2] = []
    for point in ordered:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: Point2, b: Point2, c: Point2) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


_CORNERS = 12
_CIRCLE = [
    (math.cos(a * math.tau / _CORNERS), math.sin(a * math.tau / _CORNERS)) for a in range(_CORNERS)
]
# Grow, shift, factor: a dark skin and lighter ones inside, towards the sun, look round.
_TONES = ((1.0, 0.0, 0.72), (0.78, -0.16, 1.0), (0.42, -0.34, 1.1))


@dataclass(frozen=True, slots=True)
class Limb:
    """The convex skin around some balls: a leg, a trunk, a head."""

    balls: tuple[tuple[Point3, float], ...]  # ((x right, height, y forward), radius) in metres
    colour: Colour
    worn_over_m: float = 0.0  # how much nearer to the eye it counts than its balls are


@dataclass(frozen=True, slots=True)
class Ring:
    """An upright wheel that rolls forward."""

    centre: Point3
    radius: float
    width: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class View:
    """The direction a figure is seen from: turned by yaw, from elevation above the ground."""

    yaw: float  # 0 = seen from behind, pi = it looks at the camera
    elevation: float

    def turned(self, point: Point3) -> Point3:
        """To the right, up in the picture, and away from the eye, in metres."""
        x, height, forward = point
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        right, away = x * cos + forward * sin, -x * sin + forward * cos
        up = height * math.cos(self.elevation) + away * math.sin(self.elevation)
        return right, up, away * math.cos(self.elevation) - height * math.sin(self.elevation)


@dataclass(frozen=True, slots=True)
class Figure:
    """Limbs and wheels; the origin is the ground below its middle."""

    parts: tuple[Limb | Ring, ...]
    width_m: float
    height_m: float
    below_m: float = 0.35  # of picture below the origin

    def drawn(self, view: View, scale: float) -> Image.Image:
        """The figure from a direction, the farthest part first."""
        below = round(self.below_m * scale)
        canvas = Canvas(round(self.width_m * scale), round(self.height_m * scale) + below)
        origin = (self.width_m * scale / 2, self.height_m * scale)
        for part in sorted(self.parts, key=lambda part: -_depth(part, view)):
            if isinstance(part, Limb):
                _draw_limb(canvas, part, view, origin, scale)
            else:
                _draw_ring(canvas, part, view, origin, scale)
        return canvas.finished()


def _depth(part: Limb | Ring, view: View) -> float:
    if isinstance(part, Ring):
        return view.turned(part.centre)[2]
    away = sum(view.turned(centre)[2] for centre, _ in part.balls) / len(part.balls)
    return away - part.worn_over_m


def _draw_limb(canvas: Canvas, limb: Limb, view: View, origin: Point2, scale: float) -> None:
    balls = []
    for centre, radius in limb.balls:
        right, up, _ = view.turned(centre)
        balls.append((origin[0] + right * scale, origin[1] - up * scale, radius * scale))
    outline = _skin(balls)
    for grow, shift, factor in _TONES if len(balls) != 2 else _TONES[:2]:  # noqa: PLR2004 - thin ones
        points = [
            (x + r * (cos * grow + shift), y + r * (sin * grow + shift))
            for x, y, r, cos, sin in outline
        ]
        canvas.fill(points, shaded(limb.colour, factor))


_Ball = tuple[float, float, float]  # x, y, radius in the picture


def _skin(balls: list[_Ball]) -> list[tuple[float, float, float, float, float]]:
    """Corners of the skin around balls, each as its ball and its direction from there."""
    if len(balls) == 1:
        return [(*balls[0], cos, sin) for cos, sin in _CIRCLE]
    if len(balls) == 2:  # noqa: PLR2004 - two half circles
        one, other = balls
        angle = math.atan2(other[1] - one[1], other[0] - one[0])
        start = round(angle / math.tau * _CORNERS) - _CORNERS // 4
        half = range(_CORNERS // 2 + 1)
        near = [(*other, *_CIRCLE[(start + step) % _CORNERS]) for step in half]
        far = [(*one, *_CIRCLE[(start + _CORNERS // 2 + step) % _CORNERS]) for step in half]
        return near + far
    corners = {
        (x + r * cos, y + r * sin): (x, y, r, cos, sin) for x, y, r in balls for cos, sin in _CIRCLE
    }
    return [corners[point] for point in hull(list(corners))]


def _draw_ring(canvas: Canvas, ring: Ring, view: View, origin: Point2, scale: float) -> None:
    x, height, forward = ring.centre
    points = []
    for step in range(17):
        angle = step * math.tau / 16
        rim = (x, height + math.sin(angle) * ring.radius, forward + math.cos(angle) * ring.radius)
        right, up, _ = view.turned(rim)
        points.append((origin[0] + right * scale, origin[1] - up * scale))
    canvas.line(points, ring.colour, ring.width * scale)
    hub_right, hub_up, _ = view.turned(ring.centre)
    canvas.disc(
        (origin[0] + hub_right * scale, origin[1] - hub_up * scale), 0.05 * scale, ring.colour
    )


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The bytes of a picture, (height, width, 4)."""
    return np.asarray(image, dtype=np.uint8)
