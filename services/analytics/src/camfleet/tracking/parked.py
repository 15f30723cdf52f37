"""What stands still keeps its identity, also when it was hidden or missed for a while.

A tracker forgets what it has not seen for a second, and rightly so for what moves. A parked car
that a lorry hides for ten seconds is the same car when it is seen again in the same place.
"""

from dataclasses import dataclass, field

import numpy as np

from camfleet.detections import Detections

PARKED_AFTER_S = 3.0  # so long in one place
REMEMBERED_S = 60.0
FORGOTTEN_S = 2.0  # what is not parked; the tracker has forgotten it, too
SAME_PLACE_IOU = 0.6

Box = list[float]  # x1, y1, x2, y2; of a few boxes plain numbers are quicker than arrays


@dataclass(slots=True)
class _Rest:
    """Where an object came to rest."""

    box: Box
    since_s: float
    seen_s: float

    @property
    def is_parked(self) -> bool:
        return self.seen_s - self.since_s >= PARKED_AFTER_S


@dataclass(slots=True)
class ParkedObjects:
    """Gives a new track the identity of the parked object in whose place it is. Not thread-safe."""

    _rests: dict[int, _Rest] = field(default_factory=dict)
    _same_as: dict[int, int] = field(default_factory=dict)  # a tracker's id -> the one it goes on

    def apply(self, tracked: Detections, now_s: float) -> Detections:
        """The same objects with identities that last; `now_s` on the stream's clock."""
        if tracked.tracker_id is None:
            return tracked
        self._forget(now_s)
        given = tracked.tracker_id.tolist()
        self._take_back(set(given))
        present = {self._same_as.get(one, one) for one in given}
        for track_id, box in zip(given, tracked.xyxy.tolist(), strict=True):
            if track_id not in self._rests and track_id not in self._same_as:
                self._recognise(track_id, box, present)
            self._note(self._same_as.get(track_id, track_id), box, now_s)
        lasting = [self._same_as.get(one, one) for one in given]
        return tracked.with_tracker_ids(np.array(lasting, np.int64))

    def hidden(self, now_s: float) -> set[int]:
        """Parked objects that will still be there, seen or not: gone no longer than they stood."""

        def is_likely(rest: _Rest) -> bool:
            return now_s - rest.seen_s <= min(rest.seen_s - rest.since_s, REMEMBERED_S)

        return {one for one, rest in self._rests.items() if rest.is_parked and is_likely(rest)}

    def _take_back(self, given: set[int]) -> None:
        """The tracker itself found the old track again: the new one was somebody else."""
        self._same_as = {new: old for new, old in self._same_as.items() if old not in given}

    def _recognise(self, track_id: int, box: Box, present: set[int]) -> None:
        parked = self._find(track_id, box, present)
        if parked != track_id:  # the one before, if any, will not come again
            self._same_as = {new: old for new, old in self._same_as.items() if old != parked}
            self._same_as[track_id] = parked
            present.add(parked)

    def _find(self, track_id: int, box: Box, present: set[int]) -> int:
        """The absent parked object in this place, or a new one."""
        overlaps = {
            parked: overlap(rest.box, box)
            for parked, rest in self._rests.items()
            if rest.is_parked and parked not in present
        }
        best = max(overlaps, key=lambda one: overlaps[one], default=track_id)
        return best if overlaps.get(best, 0.0) >= SAME_PLACE_IOU else track_id

    def _note(self, lasting: int, box: Box, now_s: float) -> None:
        rest = self._rests.get(lasting)
        if rest is None or overlap(rest.box, box) < SAME_PLACE_IOU:
            self._rests[lasting] = _Rest(box, now_s, now_s)
        else:
            rest.seen_s = now_s

    def _forget(self, now_s: float) -> None:
        def is_over(rest: _Rest) -> bool:
            kept_s = REMEMBERED_S if rest.is_parked else FORGOTTEN_S
            return now_s - rest.seen_s > kept_s

        over = {lasting for lasting, rest in self._rests.items() if is_over(rest)}
        if over:
            self._rests = {one: rest for one, rest in self._rests.items() if one not in over}
            self._same_as = {new: old for new, old in self._same_as.items() if old not in over}


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    (left, top, right, bottom), (x1, y1, x2, y2) = one, other
    across, down = min(right, x2) - max(left, x1), min(bottom, y2) - max(top, y1)
    shared = max(across, 0.0) * max(down, 0.0)
    areas = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1)
    return shared / max(areas - shared, 1e-9)
