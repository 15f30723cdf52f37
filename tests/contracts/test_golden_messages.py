"""What we write holds, field by field, what `golden/` shows.

The first three are the JSON blocks of the alwaysAI documents; the event classes carry the fields of
their constructors, of which the documents show no JSON.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.events import (
    Box,
    CompleteTimedEvent,
    EndTimedEvent,
    Envelope,
    Event,
    ObjectDetectionPrediction,
    ObjectDetectionResults,
    OccurrenceEvent,
    Origin,
    StartTimedEvent,
    Times,
    TrackedObject,
    TrackingResults,
    ValueEvent,
    envelope,
)

MOMENT = Times(datetime(2026, 11, 20, 18, 0, tzinfo=UTC), datetime(2026, 11, 20, 18, 0, tzinfo=UTC))
DETECTOR = Origin("box-7", "door", "ObjectDetection")
OURS = {"camera", "event_id", "captured_at", "received_at"}
NUMBERS = {"epoch", "seq"}  # of events only


def prediction(box: tuple[int, int, int, int], confidence: float) -> ObjectDetectionPrediction:
    x1, y1, x2, y2 = box
    corners = Box(start_x=x1, start_y=y1, end_x=x2, end_y=y2)
    return ObjectDetectionPrediction(
        box=corners, confidence=confidence, label="tvmonitor", index=20
    )


def detection_message() -> Envelope:
    found = prediction((120, 349, 454, 599), 0.9988538026809692)
    results = ObjectDetectionResults(
        predictions=(found,), duration=0.016431093215942383, model_id="alwaysai/mobilenet_ssd"
    )
    return envelope(results, DETECTOR, MOMENT, tag={"stream_idx": 0, "frame_idx": 17})


def tracking_message() -> Envelope:
    found = prediction((110, 408, 458, 667), 0.9970658421516418)
    tracked = TrackedObject(id=0, prediction=found.model_copy(update={"estimate": (284.0, 537.5)}))
    results = TrackingResults(
        objects=(tracked,), tracking_algorithm="KalmanTracker", model_id="alwaysai/mobilenet_ssd"
    )
    return envelope(results, DETECTOR, MOMENT, tag="entrance")


def custom_message() -> Envelope:
    return envelope({"cpu_temp": 51.2, "fan_speed": 1200}, Origin("box-7"), MOMENT)


def event_message(event: Event) -> Envelope:
    return envelope(event, Origin("box-7", "door"), MOMENT)


PARKED = {
    "event_label": "parked",
    "object_label": "car",
    "object_id": 3,
    "camera_label": "door",
    "zone_label": "yard",
    "event_id": "5f0c1a52-6f39-4d0a-9a6e-6f6b7a1c2d3e",
}
BOTH_ENDS = {
    f"{end}_{field}": PARKED[field]
    for field in ("object_label", "object_id", "camera_label", "zone_label")
    for end in ("start", "end")
}
CROSSED = OccurrenceEvent(
    event_label="line_crossed",
    object_label="person",
    object_id=7,
    camera_label="door",
    zone_label="gate",
    data={
        "line": "gate",
        "direction": "in",
        "track_id": 7,
        "count_in": 12,
        "count_out": 9,
        "count_error": 1.9,
    },
)
QUEUE = ValueEvent(
    event_label="queue_length",
    camera_label="door",
    zone_label="till",
    data={"limit": 5},
    value=6,
)
COMPLETE = CompleteTimedEvent.model_validate(
    {
        "event_label": "parked",
        "event_id": PARKED["event_id"],
        "start_timestamp": "2026-11-20T17:00:00.000Z",
        "end_timestamp": "2026-11-20T18:00:00.000Z",
        **BOTH_ENDS,
    }
)
EVENTS: dict[str, Event] = {
    "occurrence-event": CROSSED,
    "value-event": QUEUE,
    "start-timed-event": StartTimedEvent.model_validate(PARKED),
    "end-timed-event": EndTimedEvent.model_validate(PARKED),
    "complete-timed-event": COMPLETE,
}
NAMES = ["object-detection-results", "tracking-results", "custom-event", *EVENTS]


@pytest.mark.parametrize(
    ("name", "message", "added"),
    [
        ("object-detection-results", detection_message(), OURS),
        ("tracking-results", tracking_message(), OURS),
        ("custom-event", custom_message(), OURS | NUMBERS),
        *((name, event_message(event), OURS | NUMBERS) for name, event in EVENTS.items()),
    ],
    ids=NAMES,
)
def test_message_is_the_golden_one_and_what_we_add(
    name: str, message: Envelope, added: set[str], repository: Path
) -> None:
    file = repository / "tests" / "contracts" / "golden" / f"{name}.json"
    golden: dict[str, Any] = json.loads(file.read_text())
    written: dict[str, Any] = json.loads(message.to_json())
    assert {key: written[key] for key in golden} == golden
    assert written.keys() - golden.keys() == added
    assert list(written)[: len(golden)] == list(golden)  # in the documented order too
    assert list(written["results"]) == list(golden["results"])


@pytest.mark.parametrize("name", NAMES)
def test_golden_message_is_read(name: str, repository: Path) -> None:
    file = repository / "tests" / "contracts" / "golden" / f"{name}.json"
    golden = json.loads(file.read_text())
    read = Envelope.model_validate({**golden, "event_id": "1"})
    assert (read.type, read.results, read.tag) == (golden["type"], golden["results"], golden["tag"])


def test_start_and_end_of_something_are_told_by_one_id() -> None:
    begun = StartTimedEvent(event_label="parked")
    ended = EndTimedEvent(event_label="parked", event_id=begun.event_id)
    messages = [event_message(begun), event_message(ended)]
    assert messages[0].results["event_id"] == messages[1].results["event_id"]
    assert messages[0].event_id != messages[1].event_id
