"""Everything of the demo street that never moves: sky line, viaduct, houses, road."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.canvas import Colour, mixed, shaded
from camfleet_capture.demo.houses import paint_house, row_of_houses
from camfleet_capture.demo.lens import HEIGHT, LENS, WIDTH, Point2
from camfleet_capture.demo.painter import Painter
from camfleet_capture.demo.plan import (
    CAR_LANE,
    CYCLE_LANE,
    KERB,
    ROAD_EDGE,
    VIADUCT,
    WALL,
    ZEBRA,
    lane_x,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASPHALT: Colour = (98, 100, 106)
CYCLE_PATH: Colour = (158, 92, 80)
SLABS: Colour = (178, 172, 162)
BRICK: Colour = (146, 92, 74)
WHITE: Colour = (232, 232, 226)
PARAPET_M = 7.4
NEAREST = 6.0
LAMP_PLACES = ((-1, 17.6), (1, 19.2), (-1, 29.5), (1, 31.0))  # side of the street, z
LAMP_X = KERB + 0.35


def paint_backdrop(seed: int, *, night: bool) -> NDArray[np.uint8]:
    """The empty street, RGB (HEIGHT, WIDTH, 3); the same seed gives the same houses."""
    chance = np.random.default_rng((seed, 31))
    painter = Painter(night=night)
    _paint_sky(painter, chance)
    _paint_viaduct(painter)
    _paint_ground(painter)
    for side in (-1, 1):
        for house in row_of_houses(side, chance):
            paint_house(painter, house, chance)
    _paint_markings(painter)
    picture = painter.finished()[..., :3].astype(np.float32)
    picture = _grained(picture, chance)
    return np.clip(_lamp_lit(picture) if night else picture, 0, 255).astype(np.uint8)


def _paint_sky(painter: Painter, chance: np.random.Generator) -> None:
    for y in range(0, 150, 2):
        part = y / 110
        day = mixed((112, 166, 220), (222, 232, 238), min(part, 1))
        dusk = mixed((30, 36, 70), (158, 104, 96), min(part * 1.6, 1))
        painter.flat([(0, y), (WIDTH, y), (WIDTH, y + 2.4), (0, y + 2.4)], day, dusk)
    for _ in range(14):  # a hazy sky line behind the viaduct
        x, width = chance.uniform(150, 450), chance.uniform(10, 30)
        top = chance.uniform(24, 40)
        grey = int(chance.integers(164, 192))
        outline = [(x, 60.0), (x, top), (x + width, top), (x + width, 60.0)]
        painter.flat(outline, (grey, grey + 8, grey + 16), (70, 62, 80))


def _paint_viaduct(painter: Painter) -> None:
    left, right = lane_x(-WALL - 2), lane_x(WALL + 2)
    painter.front(VIADUCT + 10, (left, right), (0, 5.6), (34, 36, 44))
    for part, grey in enumerate((44, 52, 62, 76, 96, 126)):  # daylight at the other end
        half, height = 3.6 - 0.42 * part, 3.2 - 0.3 * part
        painter.front(
            VIADUCT + 10, (lane_x(-half), lane_x(half)), (0, height), (grey, grey + 6, grey + 8)
        )
    painter.front(VIADUCT, (left, right), (5.7, PARAPET_M), BRICK)
    painter.front(VIADUCT, (left, right), (5.6, 5.85), shaded(BRICK, 1.25))
    painter.front(VIADUCT, (left, right), (PARAPET_M - 0.2, PARAPET_M), shaded(BRICK, 1.3))
    for middle, half in ((0.0, KERB), (-(KERB + WALL) / 2, 1.8), ((KERB + WALL) / 2, 1.8)):
        painter.fill(
            [(x, y, VIADUCT) for x, y in _arch_shoulders(lane_x(middle), half)], shaded(BRICK, 0.95)
        )
    for x in (-WALL - 0.6, -KERB, KERB, WALL + 0.6):
        painter.front(VIADUCT, (lane_x(x) - 0.42, lane_x(x) + 0.42), (0, 5.7), shaded(BRICK, 0.9))


def _arch_shoulders(middle: float, half: float) -> list[Point2]:
    """The piece of wall between an arch and the band above it."""
    rise = min(half, 2.2)
    curve = [
        (middle + half * float(np.cos(angle)), 5.6 - rise + rise * float(np.sin(angle)) - 0.05)
        for angle in np.linspace(0, np.pi, 17)
    ]
    return [(middle + half, 5.7), *curve, (middle - half, 5.7)]


def _paint_ground(painter: Painter) -> None:
    along = (NEAREST, VIADUCT + 12)
    for side in (-1, 1):
        painter.ground(_span(side, KERB, WALL + 6), along, SLABS)
        painter.ground(_span(side, KERB, KERB + 0.22), along, shaded(SLABS, 1.35))
        painter.ground(_span(side, ROAD_EDGE, KERB), along, CYCLE_PATH)
    painter.ground((lane_x(-ROAD_EDGE), lane_x(ROAD_EDGE)), along, ASPHALT)
    for z in np.arange(NEAREST, VIADUCT, 1.4):
        for side in (-1, 1):
            painter.ground(
                _span(side, KERB + 0.22, WALL), (float(z), float(z) + 0.05), shaded(SLABS, 0.9)
            )
    for part in range(10):  # the shade below the viaduct
        z = VIADUCT + part
        painter.ground(
            (lane_x(-WALL), lane_x(WALL)),
            (z, z + 1.2),
            (62 - part * 3, 62 - part * 3, 68 - part * 3),
        )


def _span(side: int, inner: float, outer: float) -> tuple[float, float]:
    return lane_x(min(side * inner, side * outer)), lane_x(max(side * inner, side * outer))


def _paint_markings(painter: Painter) -> None:
    for z in np.arange(NEAREST, VIADUCT - 2, 4.0):
        if not ZEBRA[0] - 4 < z < ZEBRA[1] + 1:
            painter.ground((lane_x(-0.07), lane_x(0.07)), (float(z), float(z) + 2.2), WHITE)
    for side in (-1, 1):
        middle = side * ROAD_EDGE
        painter.ground(
            _span(side, abs(middle) - 0.06, abs(middle) + 0.08), (NEAREST, VIADUCT), WHITE
        )
        for z in (12.0, 30.0):
            _paint_cycle_sign(painter, lane_x(side * CYCLE_LANE), z)
    for stripe in np.arange(-KERB + 0.3, KERB - 0.3, 1.0):
        painter.ground((lane_x(float(stripe)), lane_x(float(stripe) + 0.5)), ZEBRA, WHITE)
    painter.ground((lane_x(-KERB), lane_x(0)), (ZEBRA[1] + 0.7, ZEBRA[1] + 1.1), WHITE)
    painter.ground((lane_x(0), lane_x(KERB)), (ZEBRA[0] - 1.1, ZEBRA[0] - 0.7), WHITE)
    for x, z in ((CAR_LANE, 11.5), (CAR_LANE, 31.0)):
        _paint_arrow(painter, lane_x(x), z, 1)
        _paint_arrow(painter, lane_x(-x), z + 1, -1)


def _paint_cycle_sign(painter: Painter, x: float, z: float) -> None:
    diamond = [(x, 0.0, z - 0.7), (x - 0.28, 0.0, z), (x, 0.0, z + 0.7), (x + 0.28, 0.0, z)]
    painter.fill(diamond, shaded(WHITE, 0.95))


def _paint_arrow(painter: Painter, x: float, z: float, direction: int) -> None:
    painter.ground((x - 0.07, x + 0.07), (min(z, z + direction), max(z, z + direction)), WHITE)
    tip, base = z + direction * 1.9, z + direction * 0.9
    painter.fill([(x, 0.0, tip), (x - 0.3, 0.0, base), (x + 0.3, 0.0, base)], WHITE)


def _grained(picture: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """Grain of asphalt and plaster, and broad stains, so that nothing is perfectly even."""
    fine = chance.normal(0, 0.018, (HEIGHT, WIDTH, 1))
    broad = chance.normal(0, 1.0, (HEIGHT // 20 + 1, WIDTH // 20 + 1))
    rows, columns = np.arange(HEIGHT) / 20, np.arange(WIDTH) / 20
    stains = _bilinear(broad, rows, columns)[..., None] * 0.022
    below_sky = (np.arange(HEIGHT) > 45)[:, None, None]  # noqa: PLR2004 - the sky stays clean
    return (picture * (1 + (fine + stains) * below_sky)).astype(np.float32)


def _bilinear(
    grid: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    bottom, right = np.minimum(top + 1, grid.shape[0] - 1), np.minimum(left + 1, grid.shape[1] - 1)
    down, over = (rows - top)[:, None], (columns - left)[None]
    upper = grid[top][:, left] * (1 - over) + grid[top][:, right] * over
    lower = grid[bottom][:, left] * (1 - over) + grid[bottom][:, right] * over
    return np.asarray(upper * (1 - down) + lower * down)


def _lamp_lit(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add the pools of light below the street lamps and the glow around their heads."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for side, z in LAMP_PLACES:
        reach = lane_x(side * (LAMP_X - 1.0))
        ground_x, ground_y = LENS.to_picture((reach, 0.0, z))
        head_x, head_y = LENS.to_picture((reach, 4.6, z))
        scale = LENS.scale(z)
        pool = np.exp(
            -(((x - ground_x) / (3.2 * scale)) ** 2) - ((y - ground_y) / (0.85 * scale)) ** 2
        )
        halo = np.exp(-(((x - head_x) ** 2 + (y - head_y) ** 2) / (0.55 * scale) ** 2))
        picture = picture * (1 + 1.25 * pool[..., None])
        picture = (
            picture
            + pool[..., None] * np.array((46, 36, 20))
            + halo[..., None] * np.array((150, 124, 80))
        )
    return picture.astype(np.float32)
