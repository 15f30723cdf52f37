"""Annotations of others as results: CVAT for video, COCO, MOT Challenge."""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree as ET

from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction
from camfleet.replay.errors import BadAnnotations
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults

ByFrame = dict[int, dict[int, ObjectDetectionPrediction]]
Path_ = str | os.PathLike[str]
T = TypeVar("T")

_MOT_COLUMNS = 6  # frame, id, left, top, width, height; then confidence, class, visibility
_TRUTH = "annotations"


def parse_cvat_annotations(
    path: Path_,
    start_frame: int = 0,
    end_frame: int | None = None,
    new_id_for_occlusion: bool = False,
) -> tuple[ByFrame, dict[int, list[int]]]:
    """The tracks of "CVAT for video 1.1" (XML).

    Args:
        path: annotations.xml.
        start_frame: the first frame, which becomes number 0.
        end_frame: the last frame; None: the last one that has a box.
        new_id_for_occlusion: a track that comes out of an occlusion gets a new id, as of trackers
            that do not remember.

    Returns:
        Predictions by frame and id, and the frames of each id.

    Raises:
        BadAnnotations: it is no such file.
    """
    root = _read(path, lambda file: ET.parse(file).getroot())  # noqa: S314 - a file of the user's own; expat expands no entities without bounds
    by_frame: ByFrame = defaultdict(dict)
    frames: dict[int, list[int]] = defaultdict(list)
    next_id = 1 + max((int(track.get("id", 0)) for track in root.iter("track")), default=-1)
    labels = sorted({str(track.get("label")) for track in root.iter("track")})
    for track in root.iter("track"):
        object_id, label = int(track.get("id", 0)), str(track.get("label"))
        was_hidden = False
        for box in sorted(track.iter("box"), key=lambda one: int(one.get("frame", 0))):
            frame = int(box.get("frame", 0))
            is_hidden = box.get("occluded") == "1"
            if was_hidden and not is_hidden and new_id_for_occlusion:
                object_id, next_id = next_id, next_id + 1
            was_hidden = is_hidden
            is_inside = start_frame <= frame and (end_frame is None or frame <= end_frame)
            if box.get("outside") == "1" or not is_inside:
                continue
            corners = [float(box.get(name, 0)) for name in ("xtl", "ytl", "xbr", "ybr")]
            found = ObjectDetectionPrediction(
                BoundingBox(*map(round, corners)), 1.0, label, labels.index(label)
            )
            by_frame[frame - start_frame][object_id] = found
            frames[object_id].append(frame - start_frame)
    return dict(by_frame), dict(frames)


def parse_coco_annotations(path: Path_) -> list[ObjectDetectionResults]:
    """The boxes of a COCO file (JSON), one results an image, by the images' ids.

    Raises:
        BadAnnotations: it is no such file.
    """
    document = _read(path, lambda file: json.loads(file.read_text(encoding="utf-8")))
    try:
        names = {int(one["id"]): str(one["name"]) for one in document["categories"]}
        found: dict[int, list[ObjectDetectionPrediction]] = {
            int(one["id"]): [] for one in sorted(document["images"], key=lambda one: one["id"])
        }
        for one in document["annotations"]:
            left, top, width, height = one["bbox"]
            box = BoundingBox(left, top, left + width, top + height)
            category = int(one["category_id"])
            score = float(one.get("score", 1.0))
            found[int(one["image_id"])].append(
                ObjectDetectionPrediction(box, score, names[category], category)
            )
    except (KeyError, TypeError, ValueError) as error:
        raise BadAnnotations(f"{path}: not as COCO asks ({error!r})") from error
    return [ObjectDetectionResults(one, 0.0, _TRUTH) for one in found.values()]


def parse_mot_annotations(
    path: Path_, labels: Sequence[str] | Mapping[int, str] = ("pedestrian",)
) -> list[TrackingResults[TrackablePrediction]]:
    """The tracks of a MOT Challenge file (gt.txt or det.txt), one results a frame from frame 1.

    Args:
        path: lines of `frame,id,left,top,width,height[,confidence,class,visibility]`.
        labels: of the classes, which count from 1.

    Raises:
        BadAnnotations: it is no such file.
    """
    rows = _read(path, lambda file: list(csv.reader(file.read_text().splitlines())))
    by_frame: ByFrame = defaultdict(dict)
    for number, row in enumerate(rows, 1):
        try:
            frame, object_id, prediction = _mot_row(row, labels)
        except (ValueError, IndexError) as error:
            raise BadAnnotations(f"{path}, line {number}: {error!r} in {row}") from error
        by_frame[frame][object_id] = prediction
    return tracking_results_of(by_frame, first=1)


def tracking_results_of(
    by_frame: ByFrame, first: int = 0
) -> list[TrackingResults[TrackablePrediction]]:
    """One results a frame, from the first to the last one that has something."""
    results = []
    for frame in range(first, max(by_frame, default=first - 1) + 1):
        followed = {}
        for object_id, prediction in by_frame.get(frame, {}).items():
            followed[object_id] = TrackablePrediction(prediction)
            followed[object_id].tid = object_id
        results.append(TrackingResults(followed, _TRUTH))
    return results


def _mot_row(
    row: Sequence[str], labels: Sequence[str] | Mapping[int, str]
) -> tuple[int, int, ObjectDetectionPrediction]:
    if len(row) < _MOT_COLUMNS:
        raise ValueError(f"{len(row)} columns, expected at least {_MOT_COLUMNS}")
    frame, object_id = int(row[0]), int(row[1])
    left, top, width, height = (float(value) for value in row[2:_MOT_COLUMNS])
    confidence = float(row[6]) if len(row) > _MOT_COLUMNS else 1.0
    kind = int(float(row[7])) if len(row) > _MOT_COLUMNS + 1 else 1
    kind = max(kind, 1)  # -1: not said
    label = labels.get(kind, str(kind)) if isinstance(labels, Mapping) else (
        labels[kind - 1] if kind <= len(labels) else str(kind)
    )  # fmt: skip
    box = BoundingBox(round(left), round(top), round(left + width), round(top + height))
    return frame, object_id, ObjectDetectionPrediction(box, confidence, label, kind)


def _read(path: Path_, read: Callable[[Path], T]) -> T:
    try:
        return read(Path(path))
    except (OSError, ValueError, ET.ParseError) as error:
        raise BadAnnotations(f"{path}: cannot be read: {error}") from error
