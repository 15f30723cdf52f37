"""People of the demo street, on foot or on a bicycle, as figures in a phase of their movement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.canvas import Colour, Figure, Limb, Ring, shaded
from camfleet_capture.demo.dice import falls

if TYPE_CHECKING:
    from camfleet_capture.demo.lens import Point3

PHASES = 8
STANDING = PHASES  # the phase after the last of walking
STRIDE_M = 1.5
TURN_M = 3.6  # way of a bicycle per turn of its pedals

SKINS: tuple[Colour, ...] = ((241, 205, 176), (224, 172, 138), (172, 118, 84), (110, 74, 54))
HAIRS: tuple[Colour, ...] = (
    (44, 32, 26),
    (92, 60, 36),
    (186, 146, 84),
    (150, 150, 152),
    (128, 52, 30),
)
TOPS: tuple[Colour, ...] = (
    (196, 48, 48), (44, 92, 168), (240, 186, 62), (52, 128, 92), (232, 230, 222),
    (60, 62, 72), (158, 84, 156), (232, 122, 60), (88, 160, 184), (122, 96, 70),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (42, 54, 88), (38, 38, 44), (120, 104, 84), (86, 92, 100), (66, 82, 58), (152, 142, 124),
)  # fmt: skip
SHOES: tuple[Colour, ...] = ((34, 30, 30), (222, 220, 214), (110, 68, 44))
FRAMES: tuple[Colour, ...] = (
    (200, 46, 46),
    (34, 110, 160),
    (30, 32, 36),
    (236, 236, 232),
    (70, 150, 96),
)


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a person looks like."""

    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    shoes: Colour
    coat: bool
    skirt: bool
    long_hair: bool
    hat: bool
    pack: bool
    bag: bool
    size: float


def outfit(look: int) -> Outfit:
    """The outfit that belongs to a number."""
    chance = np.random.default_rng((4711, look))

    def one_of(colours: tuple[Colour, ...]) -> Colour:
        return colours[int(chance.integers(len(colours)))]

    skirt = falls(chance, 0.25)
    return Outfit(
        skin=one_of(SKINS),
        hair=one_of(HAIRS),
        top=one_of(TOPS),
        trousers=one_of(TROUSERS),
        shoes=one_of(SHOES),
        coat=falls(chance, 0.35) and not skirt,
        skirt=skirt,
        long_hair=falls(chance, 0.45),
        hat=falls(chance, 0.2),
        pack=falls(chance, 0.3),
        bag=falls(chance, 0.25),
        size=float(chance.uniform(0.94, 1.06)),
    )


def walker(wears: Outfit, phase: int) -> Figure:
    """A person in a phase of walking, or STANDING; looks forward."""
    swing = 0.0 if phase == STANDING else math.sin(phase / PHASES * math.tau)
    lift = 0.0 if phase == STANDING else math.cos(phase / PHASES * math.tau)
    parts: list[Limb | Ring] = []
    for side in (-1, 1):
        parts += _leg(wears, side, swing * side, lift * side)
        parts += _arm(wears, side, -swing * side)
    parts += _trunk(wears)
    parts += _head(wears, (0.0, 1.6, 0.04))
    return Figure(tuple(_resized(part, wears.size) for part in parts), 1.3, 2.05)


def _leg(wears: Outfit, side: int, swing: float, lift: float) -> list[Limb | Ring]:
    hip = (0.1 * side, 0.86, 0.0)
    raised = max(lift, 0.0) * 0.09
    knee = (0.105 * side, 0.47 + raised, 0.17 * swing + 0.06 + raised * 0.8)
    ankle = (0.11 * side, 0.09 + raised * 1.2, 0.33 * swing - raised * 0.6)
    toe = (0.12 * side, 0.045 + raised, ankle[2] + 0.16)
    bare = wears.skin if wears.skirt else wears.trousers
    heel = (ankle[0], ankle[1] - 0.045, ankle[2])
    return [
        Limb(((hip, 0.105), (knee, 0.075)), wears.trousers if not wears.skirt else bare),
        Limb(((knee, 0.073), (ankle, 0.055)), bare),
        Limb(((heel, 0.05), (toe, 0.045)), wears.shoes),
    ]


def _arm(wears: Outfit, side: int, swing: float) -> list[Limb | Ring]:
    shoulder = (0.195 * side, 1.38, 0.0)
    elbow = (0.24 * side, 1.1, 0.13 * swing - 0.03)
    hand = (0.235 * side, 0.86 + abs(swing) * 0.03, 0.24 * swing + 0.08)
    parts: list[Limb | Ring] = [
        Limb(((shoulder, 0.07), (elbow, 0.058)), shaded(wears.top, 0.94)),
        Limb(((elbow, 0.056), (hand, 0.045)), shaded(wears.top, 0.94)),
        Limb(((hand, 0.052),), wears.skin),
    ]
    if wears.bag and side == 1:
        x, height, forward = hand
        corners = [
            (x + 0.03, height - drop, forward + along)
            for drop in (0.1, 0.32)
            for along in (-0.13, 0.13)
        ]
        parts.append(Limb(tuple((corner, 0.035) for corner in corners), shaded(wears.shoes, 1.15)))
    return parts


def _trunk(wears: Outfit) -> list[Limb | Ring]:
    shoulders = [((0.125 * side, 1.38, 0.0), 0.085) for side in (-1, 1)]
    waist = [((0.09 * side, 0.98, 0.0), 0.095) for side in (-1, 1)]
    parts: list[Limb | Ring] = [Limb((*shoulders, *waist), wears.top)]
    hem, wide = (0.58, 0.13) if wears.coat else (0.55, 0.16)
    if wears.coat or wears.skirt:
        edge = [((wide * side, hem, 0.0), 0.07) for side in (-1, 1)]
        parts.append(Limb((*waist, *edge), wears.top if wears.coat else wears.trousers, 0.12))
    else:
        hips = [((0.09 * side, 0.87, 0.0), 0.1) for side in (-1, 1)]
        parts.append(Limb((*hips, ((0.0, 0.93, 0.0), 0.13)), wears.trousers))
    if wears.pack:
        places = [
            ((0.1 * side, height, -0.19), 0.075) for side in (-1, 1) for height in (1.02, 1.32)
        ]
        parts.append(Limb(tuple(places), shaded(wears.trousers, 1.25)))
    return parts


def _head(wears: Outfit, centre: Point3) -> list[Limb | Ring]:
    x, height, forward = centre
    parts: list[Limb | Ring] = [
        Limb((((x, height - 0.13, forward - 0.02), 0.055),), wears.skin),
        Limb(
            (((x, height, forward), 0.105), ((x, height - 0.05, forward + 0.02), 0.085)), wears.skin
        ),
        Limb(
            (((x, height + 0.045, forward - 0.035), 0.108), ((x, height, forward - 0.05), 0.1)),
            wears.hair,
        ),
    ]
    if wears.long_hair:
        parts.append(
            Limb(
                (((x, height, forward - 0.07), 0.09), ((x, height - 0.2, forward - 0.09), 0.08)),
                wears.hair,
            )
        )
    if wears.hat:
        brim = (((x, height + 0.09, forward), 0.12), ((x, height + 0.1, forward + 0.09), 0.07))
        parts.append(Limb((*brim, ((x, height + 0.14, forward), 0.09)), shaded(wears.top, 0.8)))
    return parts


def cyclist(wears: Outfit, phase: int, frame: Colour) -> Figure:
    """A bicycle and its rider in a phase of pedalling; rides forward."""
    turn = phase / PHASES * math.tau
    parts: list[Limb | Ring] = [
        Ring((0.0, 0.35, -0.52), 0.33, 0.055, (32, 32, 36)),
        Ring((0.0, 0.35, 0.52), 0.33, 0.055, (32, 32, 36)),
    ]
    parts += _bicycle_frame(frame)
    for side in (-1, 1):
        parts += _pedalling_leg(wears, side, turn if side > 0 else turn + math.pi)
        shoulder, hand = (0.18 * side, 1.4, 0.14), (0.25 * side, 1.06, 0.42)
        parts.append(Limb(((shoulder, 0.065), (hand, 0.045)), shaded(wears.top, 0.94)))
        parts.append(Limb(((hand, 0.05),), wears.skin))
    back = [((0.13 * side, 1.42, 0.12), 0.085) for side in (-1, 1)]
    seat = [((0.09 * side, 0.99, -0.16), 0.11) for side in (-1, 1)]
    parts.append(Limb((*back, *seat), wears.top))
    if wears.pack:
        parts.append(
            Limb(
                (((0.0, 1.3, -0.13), 0.12), ((0.0, 1.14, -0.22), 0.12)),
                shaded(wears.trousers, 1.25),
            )
        )
    parts += _head(wears, (0.0, 1.66, 0.2))
    parts.append(Limb((((0.0, 1.74, 0.19), 0.115), ((0.0, 1.73, 0.12), 0.1)), shaded(frame, 1.1)))
    return Figure(tuple(_resized(part, wears.size) for part in parts), 2.2, 2.3, 0.6)


def _bicycle_frame(frame: Colour) -> list[Limb | Ring]:
    seat, crank, head = (0.0, 0.86, -0.2), (0.0, 0.32, -0.04), (0.0, 0.86, 0.36)
    rear, front = (0.0, 0.35, -0.52), (0.0, 0.35, 0.52)
    tubes = ((seat, crank), (crank, head), (seat, head), (seat, rear), (crank, rear), (head, front))
    parts: list[Limb | Ring] = [Limb(((a, 0.026), (b, 0.026)), frame) for a, b in tubes]
    grips = tuple(((0.27 * side, 1.03, 0.42), 0.025) for side in (-1, 1))
    parts.append(Limb(grips, (40, 40, 44)))
    parts.append(Limb((((0.0, 0.93, -0.32), 0.06), ((0.0, 0.93, -0.08), 0.04)), (30, 30, 32)))
    return parts


def _pedalling_leg(wears: Outfit, side: int, turn: float) -> list[Limb | Ring]:
    hip = (0.1 * side, 0.96, -0.16)
    foot = (0.13 * side, 0.34 + 0.17 * math.sin(turn), -0.04 + 0.17 * math.cos(turn))
    knee = (0.13 * side, 0.68 + 0.11 * math.sin(turn), 0.2 + 0.06 * math.cos(turn))
    return [
        Limb(((hip, 0.105), (knee, 0.078)), wears.trousers),
        Limb(((knee, 0.074), (foot, 0.055)), wears.trousers),
        Limb(((foot, 0.05), ((foot[0], foot[1] - 0.02, foot[2] + 0.14), 0.042)), wears.shoes),
    ]


def _resized(part: Limb | Ring, size: float) -> Limb | Ring:
    def larger(point: Point3) -> Point3:
        return point[0] * size, point[1] * size, point[2] * size

    if isinstance(part, Ring):
        return Ring(larger(part.centre), part.radius * size, part.width, part.colour)
    return Limb(
        tuple((larger(centre), radius * size) for centre, radius in part.balls),
        part.colour,
        part.worn_over_m,
    )
