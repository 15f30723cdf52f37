"""What applications of tests publish, and an application to publish it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from camfleet.publishing import publisher
from camfleet.publishing.events import (
    CompleteTimedEvent,
    CustomEvent,
    EndTimedEvent,
    OccurrenceEvent,
    StartTimedEvent,
    ValueEvent,
)
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults

MONITOR = ObjectDetectionResults(
    [ObjectDetectionPrediction(BoundingBox(120, 349, 454, 599), 0.9988538, "tvmonitor", 20)],
    0.0164310,
    "alwaysai/mobilenet_ssd",
)
NOW = "2026-11-29T10:00:00.000Z"
EVENTS = [
    OccurrenceEvent(NOW, "people_counted", object_label="person", object_id=3,
                    camera_label="door", data={"in": 4}, zone_label="Zone A"),
    ValueEvent(NOW, 12, "queue", camera_label="door"),
    StartTimedEvent(NOW, "shift", event_id="e1"),
    EndTimedEvent(NOW, "e1", "shift"),
    CompleteTimedEvent(NOW, "2026-11-29T11:00:00.000Z", "visit", "e2", start_object_id=1),
    CustomEvent({"a": [1, None, "x"]}, tag={"b": 1}),
]  # fmt: skip


@contextmanager
def own_application(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An application of its own, started in an empty folder."""
    publisher.close_publisher()  # of a test before, which may have been told another address
    monkeypatch.chdir(folder)
    monkeypatch.setattr("camfleet.app_config._folders", lambda: [folder])
    yield folder
    publisher.close_publisher()


def written(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
