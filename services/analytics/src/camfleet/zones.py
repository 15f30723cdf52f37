"""Zones: who is inside a polygon, who came, who left, and who stays for long.

An object is where the middle of its box's bottom edge is. It comes in or goes out when that point
is clearly on the other side of the border (the margin of `camfleet.lines`), so that trembling on
the border is nothing. An object that is not seen any more has left when `LOST_AFTER_S` of the
stream's time have passed, unless it is parked and only hidden.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet.detections import Detections
from camfleet.lines import MARGIN, SMALLEST_MARGIN_PX, Point

LOST_AFTER_S = 2.0

Happening = Literal["entered", "left", "dwelt"]


@dataclass(frozen=True, slots=True)
class ZoneShape:
    """A zone of the configuration; points are relative (0..1); no labels means all labels."""

    name: str
    polygon: tuple[Point, ...]
    labels: tuple[str, ...] = ()
    loiter_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ZoneEvent:
    """One object came in, went out, or has been inside for `loiter_after_s`."""

    happening: Happening
    zone: str
    track_id: int
    stay_id: str  # the same from coming to leaving, and of no other stay
    label: str
    dwell_s: float  # how long it has been inside
    occupancy: int  # objects inside after it


@dataclass(slots=True)
class _Stay:
    """One object inside the zone."""

    label: str
    since_s: float
    seen_s: float
    is_told: bool = False  # that it loiters
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(slots=True)
class ZoneWatcher:
    """Follows who is inside one zone. Not thread-safe."""

    shape: ZoneShape
    _stays: dict[int, _Stay] = field(default_factory=dict)

    @property
    def occupancy(self) -> dict[str, int]:
        """Objects inside now, by label."""
        counts: dict[str, int] = {}
        for stay in tuple(self._stays.values()):
            counts[stay.label] = counts.get(stay.label, 0) + 1
        return counts

    def update(
        self,
        tracked: Detections,
        frame_size: tuple[int, int],
        now_s: float,
        hidden: Collection[int] = (),
    ) -> list[ZoneEvent]:
        """What happened between the last frame and this one; `tracked` must carry ids.

        Args:
            tracked: the objects of the frame.
            frame_size: width and height in pixels.
            now_s: time of the frame, on the stream's clock.
            hidden: who has not left, even if not seen for long.
        """
        events: list[ZoneEvent] = []
        border = self._border(frame_size)
        ids = [] if tracked.tracker_id is None else tracked.tracker_id.tolist()
        for track_id, box, label in zip(ids, tracked.xyxy.tolist(), tracked.labels, strict=True):
            if not self.shape.labels or label in self.shape.labels:
                events += self._follow(track_id, label, _side(box, border), now_s)
        unseen = [i for i, stay in self._stays.items() if now_s - stay.seen_s > LOST_AFTER_S]
        return events + [self._leave(track_id) for track_id in unseen if track_id not in hidden]

    def restart(self) -> list[ZoneEvent]:
        """Everybody inside has left: the stream begins anew, and with it all identities."""
        return [self._leave(track_id) for track_id in tuple(self._stays)]

    def _border(self, frame_size: tuple[int, int]) -> NDArray[np.float32]:
        return np.array(self.shape.polygon, np.float32) * np.array(frame_size, np.float32)

    def _follow(self, track_id: int, label: str, side: int, now_s: float) -> list[ZoneEvent]:
        stay = self._stays.get(track_id)
        if stay is None:
            return [self._enter(track_id, label, now_s)] if side > 0 else []
        stay.seen_s, stay.label = now_s, label
        if side < 0:
            return [self._leave(track_id)]
        limit_s = self.shape.loiter_after_s
        if limit_s is None or stay.is_told or now_s - stay.since_s < limit_s:
            return []
        stay.is_told = True
        return [self._event("dwelt", track_id, stay)]

    def _enter(self, track_id: int, label: str, now_s: float) -> ZoneEvent:
        self._stays[track_id] = _Stay(label, since_s=now_s, seen_s=now_s)
        return self._event("entered", track_id, self._stays[track_id])

    def _leave(self, track_id: int) -> ZoneEvent:
        stay = self._stays.pop(track_id)
        return self._event("left", track_id, stay)

    def _event(self, happening: Happening, track_id: int, stay: _Stay) -> ZoneEvent:
        dwell_s = stay.seen_s - stay.since_s
        name, inside = self.shape.name, len(self._stays)
        facts = (track_id, stay.id, stay.label, round(dwell_s, 3), inside)
        return ZoneEvent(happening, name, *facts)


def _side(box: list[float], border: NDArray[np.float32]) -> int:
    """1 clearly inside, -1 clearly outside, 0 on the border."""
    left, top, right, bottom = box
    inside_px = cv2.pointPolygonTest(border, ((left + right) / 2, bottom), measureDist=True)
    if abs(inside_px) < max(SMALLEST_MARGIN_PX, MARGIN * (bottom - top)):
        return 0
    return 1 if inside_px > 0 else -1
