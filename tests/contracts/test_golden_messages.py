"""What we write holds, field by field, what the alwaysAI documents show (`golden/`)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.events import (
    Box,
    Envelope,
    ObjectDetectionPrediction,
    ObjectDetectionResults,
    Origin,
    Times,
    TrackedObject,
    TrackingResults,
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


@pytest.mark.parametrize(
    ("name", "message", "added"),
    [
        ("object-detection-results", detection_message(), OURS),
        ("tracking-results", tracking_message(), OURS),
        ("custom-event", custom_message(), OURS | NUMBERS),
    ],
    ids=["detections", "tracked objects", "custom event"],
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


@pytest.mark.parametrize("name", ["object-detection-results", "tracking-results", "custom-event"])
def test_golden_message_is_read(name: str, repository: Path) -> None:
    file = repository / "tests" / "contracts" / "golden" / f"{name}.json"
    golden = json.loads(file.read_text())
    read = Envelope.model_validate({**golden, "event_id": "1"})
    assert (read.type, read.results, read.tag) == (golden["type"], golden["results"], golden["tag"])
