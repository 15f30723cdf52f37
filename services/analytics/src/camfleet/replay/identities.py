"""How often a tracker changes its mind about who is who, beside the truth."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from camfleet.drawing.shapes import draw_text_with_background
from camfleet.images import Colour, Image, check_image
from camfleet.object_trackers.matching import match_greedy
from camfleet.object_trackers.results import TrackingResults


@dataclass(frozen=True, slots=True)
class IdChangeEvent:
    """A true object got another id."""

    ground_truth_id: int
    last_tracker_id: int
    new_tracker_id: int


@dataclass(frozen=True, slots=True)
class IdSwapEvent:
    """An id went from one true object to another."""

    tracker_id: int
    last_ground_truth_id: int
    new_ground_truth_id: int


@dataclass(slots=True)
class ObjectData:
    """The ids a true object had, in their order, and how often they changed."""

    tracker_ids: list[int] = field(default_factory=list)
    id_changes: int = 0


@dataclass(slots=True)
class IdChangeReport:
    """True objects whose id changed."""

    num_objects_with_id_changes: int
    objects_with_id_changes: list[int]
    total_id_changes: int
    id_change_events_by_frame: dict[int, list[IdChangeEvent]]
    id_changes_by_ground_truth_id: dict[int, ObjectData]

    def write_to_file(self, output_dir: str | os.PathLike[str]) -> None:
        """Write id_changes.json into a folder."""
        _write(Path(output_dir) / "id_changes.json", self)


@dataclass(slots=True)
class IdSwapReport:
    """Ids that went from one true object to another."""

    num_objects_with_id_swaps: int
    id_swaps_by_ground_truth_id: dict[int, list[int]]  # the ids that came to it from others
    total_object_swaps: int
    id_swap_events_by_frame: dict[int, list[IdSwapEvent]]

    def write_to_file(self, output_dir: str | os.PathLike[str]) -> None:
        """Write id_swaps.json into a folder."""
        _write(Path(output_dir) / "id_swaps.json", self)


class TrackerPerformanceAnalyzer:
    """Compares a tracker with the truth, frame by frame."""

    def __init__(self, ground_truth: Sequence[TrackingResults[Any]], max_distance: float) -> None:
        """Nothing is compared yet.

        Args:
            ground_truth: the true objects of each frame, e.g. of parse_mot_annotations().
            max_distance: pixels between the centres of an object and its truth at most.
        """
        self._truth, self._max_distance = ground_truth, max_distance
        self._objects: dict[int, ObjectData] = {}
        self._owners: dict[int, int] = {}  # the true object that each id was last seen at
        self._changes: dict[int, list[IdChangeEvent]] = {}
        self._swaps: dict[int, list[IdSwapEvent]] = {}

    def update(self, frame_idx: int, results: TrackingResults[Any]) -> None:
        """Compare one frame; those without a truth are left out.

        Raises:
            IndexError: the truth has no such frame.
        """
        if not 0 <= frame_idx < len(self._truth):
            raise IndexError(f"frame {frame_idx}: the truth has frames 0 to {len(self._truth) - 1}")
        for true_id, tracker_id in _pairs(self._truth[frame_idx], results, self._max_distance):
            self._note_change(frame_idx, true_id, tracker_id)
            owner = self._owners.get(tracker_id, true_id)
            if owner != true_id:
                event = IdSwapEvent(tracker_id, owner, true_id)
                self._swaps.setdefault(frame_idx, []).append(event)
            self._owners[tracker_id] = true_id

    def markup_image(self, frame_idx: int, frame: Image, color: Colour = (0, 0, 255)) -> Image:
        """A copy of the frame with what went wrong in it written down."""
        marked = check_image(frame, "markup_image").copy()
        texts = [
            f"object {one.ground_truth_id}: id {one.last_tracker_id} -> {one.new_tracker_id}"
            for one in self._changes.get(frame_idx, [])
        ]
        texts += [
            f"id {one.tracker_id}: object {one.last_ground_truth_id} -> {one.new_ground_truth_id}"
            for one in self._swaps.get(frame_idx, [])
        ]
        for row, text in enumerate(texts):
            draw_text_with_background(marked, text, 5, 5 + 40 * row, font_thickness=1, color=color)
        return marked

    def generate_report(self) -> tuple[IdChangeReport, IdSwapReport]:
        """What went wrong so far."""
        changed = [true_id for true_id, one in self._objects.items() if one.id_changes]
        swaps: dict[int, list[int]] = {}
        for event in (one for events in self._swaps.values() for one in events):
            swaps.setdefault(event.new_ground_truth_id, []).append(event.tracker_id)
        return (
            IdChangeReport(
                len(changed),
                changed,
                sum(one.id_changes for one in self._objects.values()),
                dict(self._changes),
                dict(self._objects),
            ),
            IdSwapReport(len(swaps), swaps, sum(map(len, swaps.values())), dict(self._swaps)),
        )

    def _note_change(self, frame_idx: int, true_id: int, tracker_id: int) -> None:
        known = self._objects.setdefault(true_id, ObjectData())
        if known.tracker_ids and known.tracker_ids[-1] != tracker_id:
            event = IdChangeEvent(true_id, known.tracker_ids[-1], tracker_id)
            self._changes.setdefault(frame_idx, []).append(event)
            known.id_changes += 1
        if not known.tracker_ids or known.tracker_ids[-1] != tracker_id:
            known.tracker_ids.append(tracker_id)


def _pairs(
    truth: Mapping[int, Any], results: Mapping[int, Any], max_distance: float
) -> list[tuple[int, int]]:
    true_ids, tracker_ids = list(truth), list(results)
    if not true_ids or not tracker_ids:
        return []
    distances = np.array(
        [
            [truth[one].box.compute_distance(results[other].box) for other in tracker_ids]
            for one in true_ids
        ]
    )
    distances[distances > max_distance] = math.inf
    return [(true_ids[row], tracker_ids[column]) for row, column in match_greedy(distances)]


def _write(path: Path, report: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
