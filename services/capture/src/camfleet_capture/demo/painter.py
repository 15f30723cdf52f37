"""Paints the things that stand still, once by day and once by night."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from camfleet_capture.demo.lens import HEIGHT, LENS, WIDTH, Point2, Point3

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from camfleet_capture.demo.canvas import Colour

FINE = 3
NIGHT_TINT = (0.28, 0.31, 0.43)


class Painter:
    """A whole picture, drawn FINE times larger; things that shine keep their colour at night."""

    def __init__(self, *, night: bool, transparent: bool = False) -> None:
        self._night = night
        ground = (0, 0, 0, 0) if transparent else (0, 0, 0, 255)
        self._image = Image.new("RGBA", (WIDTH * FINE, HEIGHT * FINE), ground)
        self._draw = ImageDraw.Draw(self._image)

    @property
    def night(self) -> bool:
        """Whether this is the picture of the night."""
        return self._night

    def tone(self, colour: Colour, shine: Colour | None = None) -> Colour:
        """The colour at this time of day; `shine` is what a lit thing shows at night."""
        if not self._night:
            return colour
        if shine is not None:
            return shine
        red, green, blue = (
            round(part * tint) for part, tint in zip(colour, NIGHT_TINT, strict=True)
        )
        return red, green, blue

    def flat(self, points: list[Point2], colour: Colour, shine: Colour | None = None) -> None:
        """Fill a polygon of the picture."""
        scaled = [(x * FINE, y * FINE) for x, y in points]
        self._draw.polygon(scaled, fill=(*self.tone(colour, shine), 255))

    def fill(self, points: list[Point3], colour: Colour, shine: Colour | None = None) -> None:
        """Fill a polygon of the street."""
        self.flat([LENS.to_picture(point) for point in points], colour, shine)

    def ground(
        self, across: tuple[float, float], along: tuple[float, float], colour: Colour
    ) -> None:
        """Fill a rectangle on the ground."""
        (x0, x1), (z0, z1) = across, along
        self.fill([(x0, 0, z0), (x0, 0, z1), (x1, 0, z1), (x1, 0, z0)], colour)

    def wall(self, x: float, along: tuple[float, float], up: tuple[float, float], colour: Colour,
             shine: Colour | None = None) -> None:  # fmt: skip
        """Fill a rectangle of a wall that runs along the street."""
        (z0, z1), (low, high) = along, up
        self.fill([(x, low, z0), (x, high, z0), (x, high, z1), (x, low, z1)], colour, shine)

    def front(self, z: float, across: tuple[float, float], up: tuple[float, float], colour: Colour,
              shine: Colour | None = None) -> None:  # fmt: skip
        """Fill a rectangle that faces the camera."""
        (x0, x1), (low, high) = across, up
        self.fill([(x0, low, z), (x0, high, z), (x1, high, z), (x1, low, z)], colour, shine)

    def blob(
        self, centre: Point3, radius_m: float, colour: Colour, shine: Colour | None = None
    ) -> None:
        """Fill a circle that faces the camera."""
        x, y = LENS.to_picture(centre)
        radius = radius_m * LENS.scale(centre[2]) * FINE
        x, y = x * FINE, y * FINE
        tone = (*self.tone(colour, shine), 255)
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)

    def finished(self) -> NDArray[np.uint8]:
        """The picture, RGBA with the colour multiplied by alpha, (HEIGHT, WIDTH, 4)."""
        small = self._image.convert("RGBa").resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        return np.array(small, dtype=np.uint8)
