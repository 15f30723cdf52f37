"""The figures of CLEAR MOT (Bernardin and Stiefelhagen 2008) of a tracker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from camfleet.object_trackers.matching import match_greedy
from camfleet.object_trackers.results import TrackingResults


@dataclass(frozen=True, slots=True)
class MOTReport:
    """Counts over all frames."""

    objects: int  # true ones, summed over the frames
    matches: int
    misses: int
    false_positives: int
    id_switches: int
    motp: float  # mean overlap of the matches, 0 to 1

    @property
    def mota(self) -> float:
        """1 less the share of errors; below 0 where there are more errors than objects."""
        errors = self.misses + self.false_positives + self.id_switches
        return 1 - errors / self.objects if self.objects else 0.0

    @property
    def precision(self) -> float:
        """Share of the tracker's objects that are true."""
        return self.matches / max(self.matches + self.false_positives, 1)

    @property
    def recall(self) -> float:
        """Share of the true objects that the tracker has."""
        return self.matches / max(self.objects, 1)


class MOTEvaluator:
    """Compares a tracker with the truth, frame by frame."""

    def __init__(
        self, ground_truth: Sequence[TrackingResults[Any]], min_overlap: float = 0.5
    ) -> None:
        """Nothing is compared yet; `min_overlap` is the least overlap of one and the same."""
        self._truth, self._min_overlap = ground_truth, min_overlap
        self._last: dict[int, int] = {}  # the tracker's id of each true object
        self._objects = self._found = self._false = self._switches = 0
        self._overlap = 0.0

    def update(self, frame_idx: int, results: TrackingResults[Any]) -> None:
        """Compare one frame.

        Raises:
            IndexError: the truth has no such frame.
        """
        if not 0 <= frame_idx < len(self._truth):
            raise IndexError(f"frame {frame_idx}: the truth has frames 0 to {len(self._truth) - 1}")
        truth = self._truth[frame_idx]
        present = {one: two for one, two in results.items() if not two.disappeared_frames}
        pairs = self._pairs(truth, present)
        for true_id, tracker_id in pairs.items():
            self._switches += self._last.get(true_id, tracker_id) != tracker_id
            self._overlap += truth[true_id].box.compute_overlap(present[tracker_id].box)
        self._last |= pairs
        self._objects += len(truth)
        self._found += len(pairs)
        self._false += len(present) - len(pairs)

    def generate_report(self) -> MOTReport:
        """The figures so far."""
        return MOTReport(
            self._objects,
            self._found,
            self._objects - self._found,
            self._false,
            self._switches,
            self._overlap / max(self._found, 1),
        )

    def _pairs(self, truth: Mapping[int, Any], present: Mapping[int, Any]) -> dict[int, int]:
        """Who was who stays so while they overlap; then the largest overlaps."""
        kept = {
            true_id: tracker_id
            for true_id, tracker_id in self._last.items()
            if true_id in truth
            and tracker_id in present
            and truth[true_id].box.compute_overlap(present[tracker_id].box) >= self._min_overlap
        }
        kept = {one: two for one, two in kept.items() if list(kept.values()).count(two) == 1}
        true_ids = [one for one in truth if one not in kept]
        tracker_ids = [one for one in present if one not in kept.values()]
        if not true_ids or not tracker_ids:
            return kept
        apart = np.array(
            [
                [1 - truth[one].box.compute_overlap(present[other].box) for other in tracker_ids]
                for one in true_ids
            ]
        )
        apart[apart > 1 - self._min_overlap] = np.inf
        return kept | {true_ids[row]: tracker_ids[column] for row, column in match_greedy(apart)}
