"""Results and events as JSON, field by field as alwaysAI's envelope has them, and back."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from camfleet.object_trackers.kalman import TrackableKalmanPrediction
from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction
from camfleet.results.boxes import BoundingBox
from camfleet.results.segmentation import InstanceSegmentationPrediction
from camfleet_contracts.clock import rfc3339

_PLAIN = (str, bool, int, type(None))


def to_json_serializable(obj: Any) -> Any:
    """What `json.dumps` takes: dicts, lists, texts, numbers.

    Results and predictions become the objects of the messages; arrays become lists, times RFC
    3339, and numbers that JSON does not have (infinite, none) null.

    Raises:
        TypeError: there is no JSON for it.
    """
    if isinstance(obj, _PLAIN) and not isinstance(obj, Enum):
        return obj
    write = next((write for kind, write in _WAYS if isinstance(obj, kind)), None)
    if write is None and is_dataclass(obj) and not isinstance(obj, type):
        write = _dataclass
    if write is None:
        raise TypeError(f"{type(obj).__name__} has no form in JSON; publish a dict of plain values")
    return write(obj)


def _dataclass(obj: Any) -> dict[str, Any]:
    """Its fields; those that are None have nothing to say, and those not compared are no part."""
    pairs = ((one.name, getattr(obj, one.name)) for one in fields(obj) if one.compare)
    return {name: to_json_serializable(value) for name, value in pairs if value is not None}


def _box(box: BoundingBox) -> dict[str, Any]:
    center_x, center_y = box.center
    corners = {one.name: getattr(box, one.name) for one in fields(box)}
    return corners | {"center_x": center_x, "center_y": center_y}


def _instance(found: InstanceSegmentationPrediction) -> dict[str, Any]:
    """Its mask becomes the share of the image it covers: a list of pixels is too long."""
    written = {
        one.name: to_json_serializable(getattr(found, one.name))
        for one in fields(found)
        if one.name != "mask"
    }
    return written | {"area": round(float(found.mask.mean()), 5)}


def _trackable(followed: TrackablePrediction) -> dict[str, Any]:
    written: dict[str, Any] = to_json_serializable(followed.prediction)
    if isinstance(followed, TrackableKalmanPrediction):
        written["estimate"] = [round(one, 3) for one in followed.estimated_position.tolist()]
    return written


def _tracking(results: TrackingResults[Any]) -> dict[str, Any]:
    objects = [
        {"id": object_id, "ObjectDetectionPrediction": to_json_serializable(followed)}
        for object_id, followed in results.items()
    ]
    return {
        "objects": objects,
        "tracking_algorithm": results.tracking_algorithm,
        "model_id": results.model_id,
    }


def _array(array: Any) -> Any:
    return to_json_serializable(array.tolist())


def _number(number: Any) -> float | None:
    return float(number) if math.isfinite(number) else None


def _mapping(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): to_json_serializable(value) for key, value in mapping.items()}


def _sequence(sequence: Iterable[Any]) -> list[Any]:
    return [to_json_serializable(one) for one in sequence]


def _enum(member: Enum) -> Any:
    return to_json_serializable(member.value)


_WAYS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (  # the first that fits
    (Enum, _enum),
    ((float, np.floating), _number),
    (BoundingBox, _box),
    (InstanceSegmentationPrediction, _instance),
    (TrackablePrediction, _trackable),
    (TrackingResults, _tracking),
    ((np.ndarray, np.generic), _array),
    (datetime, rfc3339),
    (Path, str),
    (Mapping, _mapping),
    ((list, tuple, set, frozenset), _sequence),
)
