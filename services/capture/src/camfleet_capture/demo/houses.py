"""The rows of houses on both sides of the demo street."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.canvas import Colour, shaded
from camfleet_capture.demo.dice import falls
from camfleet_capture.demo.plan import VIADUCT, WALL, lane_x

if TYPE_CHECKING:
    from camfleet_capture.demo.painter import Painter

PLASTERS: tuple[Colour, ...] = (
    (214, 186, 150), (190, 110, 84), (226, 212, 186), (150, 162, 170), (204, 154, 118),
    (172, 84, 70), (196, 200, 190), (222, 196, 128), (138, 128, 142),
)  # fmt: skip
AWNINGS: tuple[Colour, ...] = ((178, 52, 46), (40, 96, 86), (44, 74, 130), (206, 148, 48))
FRAME: Colour = (236, 232, 224)
PANE: Colour = (92, 116, 136)
LAMPLIGHT: tuple[Colour, ...] = ((250, 208, 128), (242, 186, 104), (255, 226, 164))
DARK_PANE: Colour = (26, 32, 46)
FLOOR_M = 2.7
SHOP_M = 3.1


@dataclass(frozen=True, slots=True)
class House:
    """A house in the row: its side of the street, its front from z to z, floors above the shop."""

    side: int
    along: tuple[float, float]
    floors: int
    plaster: Colour
    awning: Colour
    windows: int

    @property
    def x(self) -> float:
        """Position of the front."""
        return lane_x(self.side * WALL)

    @property
    def height_m(self) -> float:
        """From the ground to the cornice."""
        return SHOP_M + self.floors * FLOOR_M + 0.5


def row_of_houses(side: int, chance: np.random.Generator) -> list[House]:
    """The houses of one side, the farthest first."""
    edges = [VIADUCT]
    while edges[-1] > 7:  # noqa: PLR2004 - nearer than this nothing is in the picture
        edges.append(max(edges[-1] - chance.uniform(4.6, 7.0), 4.5))
    plasters = chance.permutation(len(PLASTERS))
    return [
        House(
            side=side,
            along=(near, far),
            floors=int(chance.integers(1, 3)),
            plaster=PLASTERS[plasters[index % len(PLASTERS)]],
            awning=AWNINGS[int(chance.integers(len(AWNINGS)))],
            windows=max(int((far - near) / 1.7), 2),
        )
        for index, (far, near) in enumerate(pairwise(edges))
    ]


def paint_house(painter: Painter, house: House, chance: np.random.Generator) -> None:
    """Paint one house; farther houses must be there already."""
    lit = 0.82 if house.side < 0 else 1.0  # the sun comes from the left and behind the camera
    plaster = shaded(house.plaster, lit)
    near, far = house.along
    outer = house.x + house.side * 9
    across = (min(house.x, outer), max(house.x, outer))
    painter.front(near, across, (0, house.height_m), shaded(house.plaster, 0.66))
    painter.wall(house.x, house.along, (0, house.height_m), plaster)
    top = (house.height_m - 0.35, house.height_m)
    painter.wall(house.x - house.side * 0.15, house.along, top, shaded(plaster, 0.8))
    ledge = (SHOP_M - 0.1, SHOP_M + 0.08)
    painter.wall(house.x - house.side * 0.1, house.along, ledge, shaded(plaster, 0.78))
    for floor in range(house.floors):
        _paint_windows(painter, house, SHOP_M + floor * FLOOR_M + 0.75, chance)
    _paint_shop(painter, house, chance)
    pipe = (far - 0.16, far - 0.04)
    painter.wall(house.x - house.side * 0.08, pipe, (0, house.height_m - 0.3), shaded(plaster, 0.6))
    painter.wall(house.x, (near, near + 0.06), (0, house.height_m), shaded(plaster, 0.86))


def _paint_windows(
    painter: Painter, house: House, sill: float, chance: np.random.Generator
) -> None:
    near, far = house.along
    pitch = (far - near) / house.windows
    for index in range(house.windows):
        z = near + pitch * (index + 0.5)
        lamp = _lamp(chance, 0.45)
        flowers = falls(chance, 0.22)
        painter.wall(house.x, (z - 0.55, z + 0.55), (sill - 0.1, sill + 1.5), shaded(FRAME, 0.94))
        painter.wall(house.x, (z - 0.45, z - 0.04), (sill, sill + 1.4), PANE, lamp)
        painter.wall(house.x, (z + 0.04, z + 0.45), (sill, sill + 1.4), shaded(PANE, 0.9), lamp)
        if lamp is DARK_PANE:
            painter.wall(
                house.x, (z - 0.45, z - 0.04), (sill + 0.8, sill + 1.4), shaded(PANE, 1.25)
            )
        if flowers:
            box = (sill - 0.22, sill + 0.02)
            painter.wall(house.x - house.side * 0.2, (z - 0.5, z + 0.5), box, (86, 122, 60))
            for spot in np.linspace(z - 0.4, z + 0.4, 5):
                painter.blob(
                    (house.x - house.side * 0.22, sill + 0.02, float(spot)), 0.1, (214, 74, 86)
                )


def _lamp(chance: np.random.Generator, likely: float) -> Colour:
    pick = LAMPLIGHT[int(chance.integers(len(LAMPLIGHT)))]
    return pick if chance.random() < likely else DARK_PANE


def _paint_shop(painter: Painter, house: House, chance: np.random.Generator) -> None:
    near, far = house.along
    lamp = _lamp(chance, 0.7)
    door = near + 0.5 if falls(chance, 0.5) else far - 1.5
    painter.wall(house.x, (near + 0.15, far - 0.15), (0, 0.5), shaded(house.plaster, 0.55))
    painter.wall(house.x, (near + 0.3, far - 0.3), (0.5, 2.35), shaded(house.awning, 0.6))
    painter.wall(house.x, (near + 0.45, far - 0.45), (0.6, 2.25), (78, 98, 112), lamp)
    painter.wall(house.x, (near + 0.45, far - 0.45), (1.7, 2.25), (124, 148, 162), lamp)
    for bar in np.linspace(near + 0.45, far - 0.45, 4)[1:-1]:
        painter.wall(
            house.x, (float(bar) - 0.05, float(bar) + 0.05), (0.6, 2.25), shaded(house.awning, 0.7)
        )
    painter.wall(house.x, (door, door + 1.0), (0, 2.25), shaded(house.awning, 0.75))
    painter.wall(house.x, (door + 0.15, door + 0.85), (0.9, 2.05), (96, 116, 128), lamp)
    sign = (2.5, 2.92)
    painter.wall(
        house.x - house.side * 0.1, (near + 0.3, far - 0.3), sign, shaded(house.awning, 0.85)
    )
    _paint_awning(painter, house)


def _paint_awning(painter: Painter, house: House) -> None:
    near, far = house.along
    stripes = np.linspace(near + 0.35, far - 0.35, 9)
    wall_x, edge_x = house.x, house.x - house.side * 1.0
    for index, (z0, z1) in enumerate(pairwise(float(stripe) for stripe in stripes)):
        colour = house.awning if index % 2 else FRAME
        corners = [(wall_x, 2.5, z0), (wall_x, 2.5, z1), (edge_x, 2.15, z1), (edge_x, 2.15, z0)]
        painter.fill(corners, shaded(colour, 0.92))
        painter.wall(edge_x, (z0, z1), (1.97, 2.15), shaded(colour, 0.78))
