"""The lamps of cars: brake lights by day, head and tail lamps when it gets dark."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.byte_bound_cache import ByteBoundCache
from camfleet_capture.demo.compositing import Frame, brighten
from camfleet_capture.demo.lens import LENS
from camfleet_capture.demo.plan import CAR_OVERHANG_M, VIADUCT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from camfleet_capture.demo.light import Light
    from camfleet_capture.demo.shown import Shown

GLOWS: ByteBoundCache[NDArray[np.uint16]] = ByteBoundCache(2_000_000, lambda spot: spot.nbytes)
LAMP_HEIGHT_M, TAIL_LAMP_HEIGHT_M = 0.55, 0.74


def shine_lamps(frame: Frame, item: Shown, light: Light) -> None:
    towards = math.cos(item.place.heading) < 0
    dark = 1 - light.day
    halting = item.place.braking or item.place.speed < 0.1  # noqa: PLR2004 - as good as standing
    strength = dark if towards else max(dark * 0.6, 0.9 if halting else 0.0)
    if strength < 0.1:  # noqa: PLR2004 - nothing to see
        return
    colour = (255, 240, 200) if towards else (255, 36, 24)
    shine = tuple(int(part * round(strength, 1)) for part in colour)
    place, height = item.place, LAMP_HEIGHT_M if towards else TAIL_LAMP_HEIGHT_M
    radius = (0.34 if towards else 0.26) * item.scale
    for side in (-0.66, 0.66):
        lamp = (place.x + side, height, max(place.z - CAR_OVERHANG_M, 1.0))
        add_glow(frame, LENS.to_picture(lamp), radius, (shine[0], shine[1], shine[2]))


def shine_ahead(frame: Frame, shown: list[Shown], light: Light) -> None:
    """The head lamps light the road when it gets dark."""
    strength = round(1 - light.day, 1)
    if strength < 0.2:  # noqa: PLR2004 - nothing to see
        return
    for item in shown:
        if item.mover.label == "car":
            towards = math.cos(item.place.heading) < 0
            z = item.place.z - 4 if towards else item.place.z + 8
            if z < 5 or z > VIADUCT:  # noqa: PLR2004 - out of the picture
                continue
            scale = LENS.scale(z)
            radius = int(2.0 * scale), max(int(0.55 * scale), 1)
            spot = _glow(radius, (int(90 * strength), int(82 * strength), int(62 * strength)))
            x, y = LENS.to_picture((item.place.x, 0.0, z))
            brighten(frame, (round(x) - radius[0], round(y) - radius[1]), spot)


def add_glow(
    frame: Frame, centre: tuple[float, float], radius: float, colour: tuple[int, int, int]
) -> None:
    size = max(round(radius), 1)
    brighten(frame, (round(centre[0]) - size, round(centre[1]) - size), _glow((size, size), colour))


def _glow(radius: tuple[int, int], colour: tuple[int, int, int]) -> NDArray[np.uint16]:
    """A soft spot of light, (2 * radius_y + 1, 2 * radius_x + 1, 3)."""
    return GLOWS.get((radius, colour), lambda: _draw_glow(radius, colour))


def _draw_glow(radius: tuple[int, int], colour: tuple[int, int, int]) -> NDArray[np.uint16]:
    x = np.arange(-radius[0], radius[0] + 1) / max(radius[0], 1)
    y = np.arange(-radius[1], radius[1] + 1) / max(radius[1], 1)
    spot = np.maximum(1 - (x[None] ** 2 + y[:, None] ** 2), 0) ** 2
    return np.asarray(spot[..., None] * np.array(colour), dtype=np.uint16)
