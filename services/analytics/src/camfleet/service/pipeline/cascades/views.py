"""Whom a second model is asked about, and when: per track, not per frame."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from camfleet.detections import Detections
from camfleet_contracts.stages import Cascade

MAX_TRACKS = 1000  # the longest unseen is forgotten first
FIRST_VIEWS, FIRST_EVERY_S = 3, 0.5  # a new track is looked at so often, so that there is a vote
BETTER = 1.5  # times as large as the largest view so far is a better one


@dataclass(slots=True)
class _Track:
    asked_s: float
    views: int
    largest: float


class Views:
    """One cascade's memory of whom it asked about. Belongs to the pipeline's thread."""

    def __init__(self, cascade: Cascade) -> None:
        self._cascade = cascade
        self._tracks: OrderedDict[int, _Track] = OrderedDict()

    def choose(self, objects: Detections, time_s: float) -> list[int]:
        """Indices of those to ask about now: who was never asked about first, then the largest."""
        if objects.tracker_id is None:
            return []
        ids = objects.tracker_id.tolist()
        sides = objects.xyxy[:, 2:] - objects.xyxy[:, :2]
        areas = sides.prod(axis=1)
        due = [
            index
            for index in np.flatnonzero(sides.min(axis=1) >= self._cascade.min_size).tolist()
            if self._is_wanted(objects.labels[index])
            and self._is_due(ids[index], float(areas[index]), time_s)
        ]
        known = self._tracks.keys()
        due.sort(key=lambda index: (ids[index] in known, -areas[index]))
        return due[: self._cascade.per_frame]

    def note(self, track: int, area: float, time_s: float) -> None:
        """The model is being asked about this view of a track."""
        before = self._tracks.get(track) or _Track(time_s, 0, 0.0)
        self._tracks[track] = _Track(time_s, before.views + 1, max(before.largest, area))
        self._tracks.move_to_end(track)
        if len(self._tracks) > MAX_TRACKS:
            self._tracks.popitem(last=False)

    def _is_wanted(self, label: str) -> bool:
        return not self._cascade.labels or label in self._cascade.labels

    def _is_due(self, track: int, area: float, time_s: float) -> bool:
        known = self._tracks.get(track)
        if known is None or time_s < known.asked_s:  # the stream's clock began anew
            return True
        rested_s = time_s - known.asked_s
        is_eager = known.views < FIRST_VIEWS or area > BETTER * known.largest
        return rested_s >= (FIRST_EVERY_S if is_eager else self._cascade.refresh_s)
