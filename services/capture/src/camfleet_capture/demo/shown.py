"""A mover at one moment, with the ready-made picture that shows it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.lens import LENS
from camfleet_capture.demo.people import PHASES, STANDING, STRIDE_M, TURN_M
from camfleet_capture.demo.plan import VIADUCT, bottom_y
from camfleet_capture.demo.sprites import (
    CARS,
    CYCLISTS,
    ELEVATION_STEP,
    PEOPLE,
    YAWS,
    CarView,
    FigureView,
    Sprite,
    box_of,
    scale_step,
    sprite_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from camfleet_capture.demo.furniture import Fixture
    from camfleet_capture.demo.light import Light
    from camfleet_capture.demo.motion import Place
    from camfleet_capture.demo.traffic import Mover

# The middle of a figure is that much farther away than the point where it touches the ground first.
DRAWN_BEHIND_CONTACT_M = {"person": 0.2, "bicycle": 0.52, "car": 0.0}
DARK_AFTER_M = 5.0  # below the viaduct
DARKEST = 0.12

Box = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels


@dataclass(frozen=True, slots=True)
class Shown:
    """A mover with the sprite that shows it now."""

    mover: Mover
    place: Place
    sprite: Sprite
    anchor: tuple[float, float]
    scale: float
    light: NDArray[np.uint16]
    sun: int

    @property
    def pixel(self) -> tuple[int, int]:
        return round(self.anchor[0]), round(self.anchor[1])

    @property
    def box(self) -> Box:
        """Box in pixels; it may reach beyond the picture."""
        return box_at(self.mover, self.place)


def box_at(mover: Mover, place: Place) -> Box:
    """Box of a mover in pixels; it may reach beyond the picture."""
    depth = place.z + DRAWN_BEHIND_CONTACT_M[mover.label]
    x, y = LENS.to_picture((place.x, 0.0, depth))
    scale = LENS.scale(depth)
    left, top, right = box_of(_view_of(mover, place, depth))
    lowest = bottom_y(mover.label, place.z)
    return x + left * scale, y + top * scale, x + right * scale, lowest


def show(mover: Mover, place: Place, light: Light) -> Shown:
    """The mover as the frame of this moment needs it."""
    depth = place.z + DRAWN_BEHIND_CONTACT_M[mover.label]
    x, y = LENS.to_picture((place.x, 0.0, depth))
    shade = light.shade_at(x, y)
    dark = 1.0 if place.z < VIADUCT else max(1 - (place.z - VIADUCT) / DARK_AFTER_M, DARKEST)
    lit = light.on_figure(place.x, place.z, shade)
    return Shown(
        mover=mover,
        place=place,
        sprite=sprite_of(_view_of(mover, place, depth)),
        anchor=(x, y),
        scale=LENS.scale(depth),
        light=(lit * dark).astype(np.uint16),
        sun=light.sun_on(shade) if place.z < VIADUCT else 0,
    )


def _view_of(mover: Mover, place: Place, depth: float) -> FigureView | CarView:
    step = scale_step(LENS.scale(depth))
    if mover.label == "car":
        return CarView(mover.look % CARS, math.cos(place.heading) < 0, step)
    ray = math.atan2(place.x, depth)
    yaw = round((place.heading - ray) / math.tau * YAWS) % YAWS
    elevation = round(math.atan2(LENS.raised_m - 0.8, depth) / ELEVATION_STEP)
    if mover.label == "person":
        walking = int(place.travelled_m / STRIDE_M * PHASES) % PHASES
        phase = walking if place.speed > 0 else STANDING
        return FigureView("person", mover.look % PEOPLE, phase, (yaw, elevation), step)
    phase = int(place.travelled_m / TURN_M * PHASES) % PHASES
    return FigureView("bicycle", mover.look % CYCLISTS, phase, (yaw, elevation), step)


def touches(item: Shown, fixture: Fixture) -> bool:
    x1, y1, x2, y2 = item.box
    left, top = fixture.corner
    height, width = fixture.day.shape[:2]
    return x1 < left + width and x2 > left and y1 < top + height and y2 + 2 > top
