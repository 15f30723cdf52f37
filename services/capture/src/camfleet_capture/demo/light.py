"""The changing light: a slow day with its dusk, the shade of passing clouds, street lamps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from camfleet_capture.demo.backdrop import LAMP_PLACES, LAMP_X
from camfleet_capture.demo.lens import HEIGHT, LENS, WIDTH
from camfleet_capture.demo.plan import lane_x

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_S = 300.0  # from noon to noon
STEP_S = 0.4  # the light of the whole picture changes in steps of this
NIGHT_LIGHT = np.array((0.31, 0.33, 0.43))
DUSK_TINT = np.array((1.0, 0.86, 0.70))
CLOUD_DEPTH = 0.30
GRID = 8  # pixels per cell of the shade of clouds
BELOW_SKY = np.clip((np.arange(HEIGHT // GRID) - 4) / 7, 0, 1)[:, None]  # the sky has no shade


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one step of time."""

    day: float  # 1 = day, 0 = night
    tint: NDArray[np.float64]  # colour of the daylight
    shade: NDArray[np.float64]  # (HEIGHT / GRID, WIDTH / GRID), 1 = sun, less = below a cloud

    def shade_at(self, x: float, y: float) -> float:
        """Shade of the clouds at a position of the picture."""
        row = min(max(int(y) // GRID, 0), HEIGHT // GRID - 1)
        column = min(max(int(x) // GRID, 0), WIDTH // GRID - 1)
        return float(self.shade[row, column])

    def on_figure(self, x: float, z: float, shade: float) -> NDArray[np.uint16]:
        """Light on something that stands at (x, z), 256 = as it was drawn."""
        night = NIGHT_LIGHT * (1 + 1.3 * _lamp_pool(x, z))
        light = self.day * self.tint * shade + (1 - self.day) * night
        return np.asarray(np.minimum(light * 256, 256), dtype=np.uint16)

    def sun_on(self, shade: float) -> int:
        """How dark shadows are there, of 256."""
        bright = (shade - (1 - CLOUD_DEPTH)) / CLOUD_DEPTH
        return int(256 * self.day * (0.35 + 0.65 * min(max(bright, 0.0), 1.0)))


def light_at(time_s: float, seed: int) -> Light:
    """The light at a time, the same within a step of STEP_S."""
    time_s = math.floor(time_s / STEP_S) * STEP_S
    height = math.cos((time_s + 20.0) * math.tau / DAY_S)
    day = _smooth((height + 0.75) / 0.7)
    low_sun = math.exp(-(((height + 0.25) / 0.42) ** 2))
    tint = 1 + (DUSK_TINT - 1) * low_sun
    return Light(day, tint, _cloud_shade(time_s, seed))


def _smooth(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return part * part * (3 - 2 * part)


def _lamp_pool(x: float, z: float) -> float:
    return sum(
        math.exp(-(((x - lane_x(side * (LAMP_X - 1))) / 3.2) ** 2) - ((z - lamp_z) / 2.6) ** 2)
        for side, lamp_z in LAMP_PLACES
    )


def _ground_grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.arange(GRID // 2, HEIGHT, GRID, dtype=np.float64)
    columns = np.arange(GRID // 2, WIDTH, GRID, dtype=np.float64)
    z = LENS.focal * LENS.raised_m / np.maximum(rows - LENS.horizon, 50.0)
    x = (columns[None] - LENS.centre_x) * z[:, None] / LENS.focal
    return x, np.broadcast_to(z[:, None], x.shape)


_GROUND_X, _GROUND_Z = _ground_grid()


def _cloud_shade(time_s: float, seed: int) -> NDArray[np.float64]:
    x, z = _GROUND_X + 1.7 * time_s + seed % 1000 * 13.7, _GROUND_Z + 0.9 * time_s
    noise = (
        np.sin(x * 0.11 + 0.6 * np.sin(z * 0.07))
        + np.sin(z * 0.13 + 0.9 * np.sin(x * 0.05) + 1.3)
        + 0.6 * np.sin((x + z) * 0.021 + 0.4)
    )
    cover = np.clip((noise - 0.1) / 1.1, 0, 1)
    shade = 1 - CLOUD_DEPTH * cover * cover * (3 - 2 * cover)
    return np.asarray(1 - (1 - shade) * BELOW_SKY)


def spread(shade: NDArray[np.float64]) -> NDArray[np.uint16]:
    """The shade for every pixel, (HEIGHT, WIDTH, 1), 256 = none."""
    small = Image.fromarray(np.asarray(shade * 255, dtype=np.uint8))
    large = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), dtype=np.uint16)
    return np.asarray((large + 1)[..., None])
