"""Results and events of a pipeline as envelopes.

Results also carry `pts_s`, `width` and `height` of their frame, so that a browser can draw them
over the live picture in step.
"""

from typing import Any

from camfleet.detections import Detections
from camfleet.inference.detector import Detected
from camfleet.lines import Crossing, LineCount
from camfleet.predictions import base_service, predictions_of, shapes_of
from camfleet.service.analysis import Findings
from camfleet.video.frames import Frame
from camfleet.zones import ZoneEvent
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import (
    Attribute,
    Envelope,
    ObjectDetectionPrediction,
    ObjectDetectionResults,
    OccurrenceEvent,
    Origin,
    Times,
    TrackedObject,
    TrackingResults,
    envelope,
)


def results_of(origin: Origin, frame: Frame, detected: Detected, findings: Findings) -> Envelope:
    """The results of one frame: tracked objects, or predictions where nothing is tracked."""
    results = _results(detected, findings, frame.size)
    origin = origin._replace(base_service=base_service(detected.model.manifest))
    message = envelope(results, origin, Times(frame.captured_at, frame.received_at))
    width, height = frame.size
    return message.model_copy(
        update={"pts_s": round(frame.pts_s, 6), "width": width, "height": height}
    )


def _results(
    detected: Detected, findings: Findings, frame_size: tuple[int, int]
) -> TrackingResults | ObjectDetectionResults:
    model = detected.model
    model_id = model.manifest.id or model.name
    predictions = _predictions(findings.objects, frame_size)
    if findings.tracked_by is not None and findings.objects.tracker_id is not None:
        ids = findings.objects.tracker_id.tolist()
        tracked = zip(ids, predictions, strict=True)
        return TrackingResults(
            objects=tuple(
                TrackedObject(id=track, prediction=one, attributes=_attributes(findings, track))
                for track, one in tracked
            ),
            tracking_algorithm=findings.tracked_by,
            model_id=model_id,
            model_version=model.version,
            duration=detected.duration_s,
        )
    return ObjectDetectionResults(
        predictions=predictions,
        duration=detected.duration_s,
        model_id=model_id,
        model_version=model.version,
    )


def _predictions(
    found: Detections, frame_size: tuple[int, int]
) -> tuple[ObjectDetectionPrediction, ...]:
    told = zip(predictions_of(found), shapes_of(found, frame_size), strict=True)
    return tuple(one.model_copy(update=shape) if shape else one for one, shape in told)


def line_crossed(origin: Origin, frame: Frame, crossing: Crossing, count: LineCount) -> Envelope:
    """The event of one object crossing one line, with the line's totals after it."""
    happened = OccurrenceEvent(
        event_label="line_crossed",
        object_label=crossing.label,
        object_id=crossing.track_id,
        camera_label=origin.camera,
        zone_label=crossing.line,
        data={
            "line": crossing.line,
            "direction": crossing.direction,
            "track_id": crossing.track_id,
            "count_in": count.entered,
            "count_out": count.left,
            "count_error": round(count.error, 1),
        },
    )
    return envelope(happened, origin, Times(frame.captured_at, frame.received_at))


def zone_event(origin: Origin, times: Times, event: ZoneEvent) -> Envelope:
    """The event of one object coming into a zone, leaving it, or staying for long."""
    happened = OccurrenceEvent(
        event_label=f"zone_{event.happening}",
        object_label=event.label,
        object_id=event.track_id,
        camera_label=origin.camera,
        zone_label=event.zone,
        data={
            "zone": event.zone,
            "track_id": event.track_id,
            "stay_id": event.stay_id,
            "dwell_s": event.dwell_s,
            "occupancy": event.occupancy,
        },
    )
    return envelope(happened, origin, times)


def camera_state(origin: Origin, state: str, reason: str | None, before: str) -> Envelope:
    """The event of a camera's connection changing its state."""
    return _now(origin, "camera_state", {"state": state, "reason": reason, "before": before})


def camera_picture(origin: Origin, picture: str, reason: str | None, before: str) -> Envelope:
    """The event of a camera's pictures becoming bad (black, covered ...), or clear again."""
    facts = {"picture": picture, "reason": reason, "before": before}
    return _now(origin, "camera_picture", facts)


def model_changed(origin: Origin, model: str, version: int, before: int | None) -> Envelope:
    """The event of frames being answered by another model or version than before."""
    return _now(origin, "model_changed", {"model": model, "version": version, "before": before})


def model_state(origin: Origin, model: str, state: str, reason: str | None) -> Envelope:
    """The event of a model becoming unusable or usable again."""
    return _now(origin, "model_state", {"model": model, "state": state, "reason": reason})


def with_attributes(message: Envelope, findings: Findings, track: int) -> Envelope:
    """The event of an object with what second models know of it, where they know something."""
    attributes = _attributes(findings, track)
    if attributes is None:
        return message
    told = {
        name: one.model_dump(mode="json", exclude_none=True) for name, one in attributes.items()
    }
    data = {**message.results["data"], "attributes": told}
    return message.model_copy(update={"results": {**message.results, "data": data}})


def _attributes(findings: Findings, track: int) -> dict[str, Attribute] | None:
    known = findings.attributes.get(track)
    return dict(known) if known else None


def _now(origin: Origin, label: str, facts: dict[str, Any]) -> Envelope:
    moment = now_utc()
    happened = OccurrenceEvent(event_label=label, camera_label=origin.camera, data=facts)
    return envelope(happened, origin, Times(moment, moment))
