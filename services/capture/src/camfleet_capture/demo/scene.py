"""The demo street as a film that any moment can be asked for, together with its truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from camfleet_capture.demo.backdrop import paint_backdrop
from camfleet_capture.demo.compositing import Frame, blend, darken
from camfleet_capture.demo.crossings import Crossing, CrossingBook
from camfleet_capture.demo.furniture import fixtures, lamp_positions
from camfleet_capture.demo.lamps import add_glow, shine_ahead, shine_lamps
from camfleet_capture.demo.light import STEP_S, Light, light_at, spread
from camfleet_capture.demo.plan import FAR_END, GATE_Y, VIADUCT, light_of_cars
from camfleet_capture.demo.shown import Shown, box_at, show, touches
from camfleet_capture.demo.traffic import Mover, Traffic
from camfleet_capture.demo.visibility import LEAST_SEEN, part_in_picture, seen_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from camfleet_capture.demo.motion import Place

FRAMES_PER_SECOND = 15
NEAREST_Z = 4.0  # nearer than this nothing is in the picture
SEEN_FROM_Z = VIADUCT - 0.5  # the truth begins where a mover has left the dark of the viaduct
CROSSINGS_KEPT = 500
SIGNAL_SHINE = {"red": (255, 60, 40), "amber": (255, 180, 40), "green": (60, 255, 130)}


@dataclass(frozen=True, slots=True)
class TrueObject:
    """What is really there: its visible box relative to the picture."""

    id: int
    label: str
    box: tuple[float, float, float, float]  # x1, y1, x2, y2


class StreetScene:
    """A street that a seed decides; every answer depends on seed and time alone."""

    def __init__(self, seed: int = 7) -> None:
        self.seed = seed
        self._traffic = Traffic(seed)
        self._book = CrossingBook(self._traffic)
        self._fixtures = fixtures(seed)
        self._day = self._furnished(night=False)
        self._night = self._furnished(night=True)
        self._lit = lru_cache(maxsize=2)(self._lit_backdrop)

    @property
    def lines(self) -> dict[str, dict[str, list[float]]]:
        """The counting lines, relative; down the picture counts as in."""
        return {"gate": {"from": [0.0, GATE_Y], "to": [1.0, GATE_Y]}}

    def frame(self, time_s: float) -> Frame:
        """The picture at time_s, (360, 640, 3) RGB."""
        light, backdrop, furniture = self._lit(math.floor(time_s / STEP_S))
        frame = backdrop.copy()
        shown = self._shown(time_s, light)
        for item in shown:
            x, y = item.pixel
            left, top = item.sprite.shadow_offset
            darken(frame, (x + left, y + top), item.sprite.shadow, item.sun)
        shine_ahead(frame, shown, light)
        self._draw_movers(frame, shown, light, furniture)
        for centre, radius in lamp_positions(light_of_cars(time_s)):
            add_glow(frame, centre, radius * 1.6, SIGNAL_SHINE[light_of_cars(time_s)])
        return frame

    def objects(self, time_s: float) -> list[TrueObject]:
        """Everybody who can be seen at time_s, the farthest first."""
        seen = [one for one in self._placed(time_s) if one[1].z < SEEN_FROM_Z]
        boxes = [box_at(mover, place) for mover, place in seen]
        found = []
        for index, (mover, _) in enumerate(seen):
            visible = part_in_picture(boxes[index])
            if visible is not None and seen_part(boxes[index], boxes[index + 1 :]) >= LEAST_SEEN:
                found.append(TrueObject(mover.id, mover.label, visible))
        return found

    def crossings(self, until_s: float, most: int | None = None) -> list[Crossing]:
        """Who crossed the gate after time 0 up to until_s by time; `most` keeps the latest."""
        return self._book.until(until_s, most)

    def counts(self, until_s: float) -> dict[str, dict[str, int]]:
        """Crossings of each line up to until_s by direction."""
        return {"gate": self._book.counts(until_s)}

    def truth(self, time_s: float) -> dict[str, object]:
        """All of it as the JSON that `/cameras/<n>/truth` serves, less the time of the start."""
        return {
            "scene": "demo:street",
            "seed": self.seed,
            "time_s": round(time_s, 3),
            "lines": self.lines,
            "objects": [
                {"id": item.id, "label": item.label, "box": [round(edge, 5) for edge in item.box]}
                for item in self.objects(time_s)
            ],
            "crossings": [item.facts() for item in self.crossings(time_s, CROSSINGS_KEPT)],
            "counts": self.counts(time_s),
        }

    def _furnished(self, *, night: bool) -> Frame:
        picture = paint_backdrop(self.seed, night=night)
        for fixture in self._fixtures:
            painted = (fixture.night if night else fixture.day).astype(np.uint16)
            blend(picture, fixture.corner, painted[..., :3], 256 - painted[..., 3:])
        return picture

    def _lit_backdrop(self, step: int) -> tuple[Light, Frame, list[NDArray[np.uint16]]]:
        light = light_at((step + 0.5) * STEP_S, self.seed)
        day = np.asarray(light.day * light.tint * 256, dtype=np.uint16)
        night = np.uint16((1 - light.day) * 256)
        shade = spread(light.shade)
        sunny = (self._day * day >> 8) * shade >> 8
        backdrop = (sunny + (self._night * night >> 8)).astype(np.uint8)
        furniture = [
            (fixture.day[..., :3] * day >> 8) + (fixture.night[..., :3] * night >> 8)
            for fixture in self._fixtures
        ]
        return light, backdrop, furniture

    def _shown(self, time_s: float, light: Light) -> list[Shown]:
        return [show(mover, place, light) for mover, place in self._placed(time_s)]

    def _placed(self, time_s: float) -> list[tuple[Mover, Place]]:
        """Everybody in or near the picture, the farthest first."""
        placed = ((mover, mover.route.place(time_s)) for mover in self._traffic.at(time_s))
        near = [one for one in placed if NEAREST_Z < one[1].z < FAR_END]
        return sorted(near, key=lambda one: (-one[1].z, one[0].id))

    def _draw_movers(
        self, frame: Frame, shown: list[Shown], light: Light, furniture: list[NDArray[np.uint16]]
    ) -> None:
        queue = [(item.place.z, item) for item in shown]
        for fixture, pixels in zip(self._fixtures, furniture, strict=True):
            while queue and queue[0][0] > fixture.z:
                draw_mover(frame, queue.pop(0)[1], light)
            if any(item.place.z > fixture.z and touches(item, fixture) for item in shown):
                blend(frame, fixture.corner, pixels, np.uint16(256) - fixture.day[..., 3:])
        for _, item in queue:
            draw_mover(frame, item, light)


def draw_mover(frame: Frame, item: Shown, light: Light) -> None:
    x, y = item.pixel
    left, top = item.sprite.offset
    blend(frame, (x + left, y + top), item.sprite.colour, item.sprite.behind, item.light)
    if item.mover.label == "car":
        shine_lamps(frame, item, light)
