import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from camfleet_contracts.events import (
    Box,
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
from camfleet_contracts.json_schemas import SCHEMAS, schema_text

MOMENT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
ORIGIN = Origin("box-7", "door", "ObjectDetection")
PREDICTION = ObjectDetectionPrediction(
    box=Box(start_x=120, start_y=349, end_x=454, end_y=599),
    confidence=0.9988538026809692,
    label="tvmonitor",
    index=20,
)


def on_the_wire(message: Envelope) -> dict[str, object]:
    document = json.loads(message.to_json())
    assert isinstance(document, dict)
    return document


def test_detections_are_written_as_alwaysai_documents_them() -> None:
    results = ObjectDetectionResults(
        predictions=(PREDICTION,), duration=0.016431093215942383, model_id="alwaysai/mobilenet_ssd"
    )
    message = on_the_wire(envelope(results, ORIGIN, Times(MOMENT, MOMENT), tag="t"))
    assert message["type"] == "ObjectDetectionResults"
    assert message["base_service"] == "ObjectDetection"
    assert message["results"] == {
        "predictions": [
            {
                "box": {
                    "start_x": 120,
                    "start_y": 349,
                    "end_x": 454,
                    "end_y": 599,
                    "center_x": 287.0,
                    "center_y": 474.0,
                },
                "confidence": 0.9988538026809692,
                "label": "tvmonitor",
                "index": 20,
            }
        ],
        "duration": 0.016431093215942383,
        "model_id": "alwaysai/mobilenet_ssd",
    }


def test_tracked_objects_carry_their_estimate_inside_the_prediction() -> None:
    tracked = TrackedObject(id=0, prediction=PREDICTION.model_copy(update={"estimate": (1.0, 2.0)}))
    results = TrackingResults(objects=(tracked,), tracking_algorithm="ByteTrack", model_id="m")
    message = on_the_wire(envelope(results, ORIGIN, Times(MOMENT, MOMENT)))
    body = message["results"]
    assert isinstance(body, dict)
    assert body["objects"][0]["id"] == 0
    assert body["objects"][0]["ObjectDetectionPrediction"]["estimate"] == [1.0, 2.0]


def test_a_dictionary_becomes_a_custom_event_without_service() -> None:
    message = on_the_wire(envelope({"cpu_temp": 51.2}, Origin("box-7"), Times(MOMENT, MOMENT)))
    assert message["type"] == "CustomEvent"
    assert message["base_service"] is None
    assert message["results"] == {"cpu_temp": 51.2}


@pytest.mark.parametrize(("kind", "has_seq"), [("event", True), ("result", False)])
def test_only_events_are_numbered(kind: str, has_seq: bool) -> None:
    crossing = OccurrenceEvent(event_label="line_crossed", data={"line": "gate"})
    results = TrackingResults(objects=(), tracking_algorithm="ByteTrack", model_id="m")
    message = envelope(crossing if kind == "event" else results, ORIGIN, Times(MOMENT, MOMENT))
    assert ("seq" in on_the_wire(message)) is has_seq


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_the_current_one(name: str, repository: Path) -> None:
    committed = (repository / "docs" / "schemas" / f"{name}.json").read_text()
    assert committed == schema_text(name), "run: make schemas"
