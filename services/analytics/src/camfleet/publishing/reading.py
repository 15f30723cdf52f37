"""From the `results` of a packet back to what was published."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from camfleet.object_trackers.kalman import TrackableKalmanPrediction
from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction
from camfleet.publishing import events
from camfleet.results.boxes import BoundingBox
from camfleet.results.classification import ClassificationPrediction, ClassificationResults
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults
from camfleet_contracts.events import Envelope

_CORNERS = ("start_x", "start_y", "end_x", "end_y")


def prediction_from(facts: Mapping[str, Any]) -> ObjectDetectionPrediction:
    """One prediction."""
    box = BoundingBox(*(facts["box"][name] for name in _CORNERS))
    return ObjectDetectionPrediction(
        box, float(facts["confidence"]), str(facts["label"]), int(facts["index"])
    )


def _detection(packet: Envelope) -> ObjectDetectionResults:
    facts = packet.results
    predictions = [prediction_from(one) for one in facts["predictions"]]
    return ObjectDetectionResults(predictions, *_origin(facts))


def _classification(packet: Envelope) -> ClassificationResults:
    facts = packet.results
    predictions = [
        ClassificationPrediction(str(one["label"]), float(one["confidence"]), int(one["index"]))
        for one in facts["predictions"]
    ]
    return ClassificationResults(predictions, *_origin(facts))


def _tracking(packet: Envelope) -> TrackingResults[TrackablePrediction]:
    facts = packet.results
    found = {}
    for one in facts["objects"]:
        written = one["ObjectDetectionPrediction"]
        estimate = written.get("estimate", one.get("estimate"))  # inside, or beside as others do
        followed = _followed(prediction_from(written), estimate)
        followed.tid = int(one["id"])
        found[followed.tid] = followed
    return TrackingResults(found, facts["tracking_algorithm"], facts.get("model_id", ""))


def _followed(prediction: ObjectDetectionPrediction, estimate: Any) -> TrackablePrediction:
    if estimate is None:
        return TrackablePrediction(prediction)
    followed = TrackableKalmanPrediction(prediction)
    followed.place_at(np.array(estimate, np.float64))
    return followed


def _custom(packet: Envelope) -> events.CustomEvent:
    return events.CustomEvent(packet.results, packet.tag)


def _event(kind: type[Any]) -> Callable[[Envelope], Any]:
    names = {one.name for one in fields(kind)}

    def read(packet: Envelope) -> Any:
        facts = {"timestamp": packet.timestamp, **packet.results}
        return kind(**{name: value for name, value in facts.items() if name in names})

    return read


def _origin(facts: Mapping[str, Any]) -> tuple[float, str, int | None]:
    return (
        float(facts.get("duration") or 0.0),
        str(facts.get("model_id") or ""),
        facts.get("model_version"),
    )


READERS: Mapping[str, Callable[[Envelope], Any]] = {
    "ObjectDetectionResults": _detection,
    "TrackingResults": _tracking,
    "ClassificationResults": _classification,
    "CustomEvent": _custom,
    **{
        kind.__name__: _event(kind)
        for kind in (
            events.OccurrenceEvent,
            events.ValueEvent,
            events.StartTimedEvent,
            events.EndTimedEvent,
            events.CompleteTimedEvent,
        )
    },
}
