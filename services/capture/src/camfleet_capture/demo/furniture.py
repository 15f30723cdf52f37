"""Trees, lamps and traffic lights: what stands still but may hide somebody behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.backdrop import LAMP_PLACES, LAMP_X
from camfleet_capture.demo.canvas import Colour, shaded
from camfleet_capture.demo.lens import LENS, Point2
from camfleet_capture.demo.painter import Painter
from camfleet_capture.demo.plan import KERB, ZEBRA, lane_x

if TYPE_CHECKING:
    from numpy.typing import NDArray

IRON: Colour = (52, 56, 62)
BARK: Colour = (92, 70, 52)
LEAVES: tuple[Colour, ...] = ((74, 120, 56), (96, 140, 62), (62, 104, 60), (132, 146, 66))
TREES = ((-1, 22.5 + 4.6), (1, 27.8), (-1, 34.0), (1, 35.0), (1, 16.4), (-1, 20.0))
SIGNALS = ((-1, ZEBRA[1] + 0.9), (1, ZEBRA[0] - 0.9))
LENSES_M = {"red": 3.0, "amber": 2.72, "green": 2.44}


@dataclass(frozen=True, slots=True)
class Fixture:
    """A thing at a distance z: its pixels by day and by night, and where they belong."""

    z: float
    corner: tuple[int, int]  # left, top
    day: NDArray[np.uint8]  # (H, W, 4), colour multiplied by alpha
    night: NDArray[np.uint8]


def fixtures(seed: int) -> list[Fixture]:
    """All fixtures of a street, the farthest first."""
    placed = [(z, "tree", float(side)) for side, z in TREES]
    placed += [(z, "lamp", float(side)) for side, z in LAMP_PLACES]
    placed += [(z, "signal", float(side)) for side, z in SIGNALS]
    return [_fixture(seed, z, kind, int(side)) for z, kind, side in sorted(placed, reverse=True)]


def lamp_positions(colour: str) -> list[tuple[Point2, float]]:
    """Where the lit lenses of the traffic lights are in the picture, and their radius in pixels."""
    return [
        (LENS.to_picture((_signal_x(side), LENSES_M[colour], z)), 0.13 * LENS.scale(z))
        for side, z in SIGNALS
    ]


def _signal_x(side: int) -> float:
    return lane_x(side * (KERB + 0.45))


def _fixture(seed: int, z: float, kind: str, side: int) -> Fixture:
    paint = {"tree": _paint_tree, "lamp": _paint_lamp, "signal": _paint_signal}[kind]
    pictures = []
    for night in (False, True):
        painter = Painter(night=night, transparent=True)
        paint(painter, side, z, np.random.default_rng((seed, round(z * 100), 7)))
        pictures.append(painter.finished())
    rows = np.flatnonzero(pictures[0][..., 3].any(axis=1))
    columns = np.flatnonzero(pictures[0][..., 3].any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    day, night_picture = (np.ascontiguousarray(p[top:bottom, left:right]) for p in pictures)
    return Fixture(z, (int(left), int(top)), day, night_picture)


def _paint_tree(painter: Painter, side: int, z: float, chance: np.random.Generator) -> None:
    x = lane_x(side * 9.0)
    painter.fill([(x - 0.14, 0, z), (x - 0.08, 3.2, z), (x + 0.08, 3.2, z), (x + 0.14, 0, z)], BARK)
    painter.front(z, (x - 0.5, x + 0.5), (0, 0.12), (96, 78, 62))
    green = LEAVES[int(chance.integers(len(LEAVES)))]
    for layer, (factor, radius) in enumerate(
        ((0.62, 0.62), (0.82, 0.55), (1.0, 0.42), (1.18, 0.28))
    ):
        for _ in range(13):
            angle, reach = chance.uniform(0, 2 * np.pi), chance.uniform(0, 1.0) ** 0.6 * 0.95
            shift = -0.12 * layer
            place = (
                x + shift + reach * float(np.cos(angle)),
                4.1 - shift + reach * float(np.sin(angle)) * 0.95,
                z,
            )
            painter.blob(place, radius * chance.uniform(0.8, 1.15), shaded(green, factor))


def _paint_lamp(painter: Painter, side: int, z: float, _: np.random.Generator) -> None:
    x = lane_x(side * LAMP_X)
    painter.front(z, (x - 0.06, x + 0.06), (0, 4.8), IRON)
    painter.front(z, (x - 0.11, x + 0.11), (0, 0.7), shaded(IRON, 0.8))
    arm = x - side * 1.1
    painter.front(z, (min(x, arm), max(x, arm)), (4.72, 4.8), IRON)
    painter.front(z, (arm - 0.3, arm + 0.3), (4.64, 4.8), shaded(IRON, 0.9))
    painter.front(z, (arm - 0.24, arm + 0.24), (4.56, 4.66), (226, 226, 214), (255, 240, 200))


def _paint_signal(painter: Painter, side: int, z: float, _: np.random.Generator) -> None:
    x = _signal_x(side)
    painter.front(z, (x - 0.05, x + 0.05), (0, 2.4), IRON)
    painter.front(z, (x - 0.2, x + 0.2), (2.24, 3.2), (26, 28, 30))
    for colour, height in LENSES_M.items():
        dim = {"red": (84, 26, 24), "amber": (84, 62, 20), "green": (22, 66, 36)}[colour]
        painter.blob((x, height, z), 0.12, dim)
