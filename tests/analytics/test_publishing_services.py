"""What services publish: the JSON blocks of the alwaysAI documents, made by a script of theirs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet import (
    BoundingBox,
    InstanceSegmentationPrediction,
    InstanceSegmentationResults,
    KalmanTracker,
    ObjectDetection,
    QRCodeDetection,
    close_connections,
    load_analytics_results,
    publish_analytics,
)
from camfleet.publishing import publisher
from fakes_kserve import FakeServer, FakeVersion, serving

SIZE = (720, 640)  # height and width of the frames
MANIFEST = {
    "id": "alwaysai/mobilenet_ssd",
    "labels": [*map(str, range(20)), "tvmonitor"],
    "preprocess": {"layout": "NCHW"},
    "postprocess": {"decoder": "ssd-detections"},
}
ADDED = {"camera", "event_id", "epoch", "seq", "captured_at", "received_at"}


@pytest.fixture
def packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CAMFLEET_DEVICE_ID", "box-7")
    publisher.close_publisher()
    yield tmp_path / "analytics.txt"
    publisher.close_publisher()


def seeing(box: tuple[int, int, int, int], confidence: float) -> FakeVersion:
    """A model that finds one monitor in every frame."""
    corners = np.array(box) / np.array((SIZE[1], SIZE[0]) * 2)
    row = np.array([[[[0, 20, confidence, *corners]]]], np.float32)
    return FakeVersion(MANIFEST, (1, 3, 32, 32), lambda _: {"out": row})


def golden(repository: Path, name: str) -> dict[str, Any]:
    text = (repository / "tests" / "contracts" / "golden" / f"{name}.json").read_text()
    document: dict[str, Any] = json.loads(text)
    return document


def without_times(packet: dict[str, Any]) -> dict[str, Any]:
    results = {key: value for key, value in packet["results"].items() if key != "duration"}
    kept = {key: value for key, value in packet.items() if key not in ADDED | {"timestamp"}}
    return kept | {"results": results}


def test_a_script_of_theirs_publishes_the_blocks_of_their_documents(
    packets: Path, repository: Path
) -> None:
    frame = np.zeros((*SIZE, 3), np.uint8)
    with serving(FakeServer({1: seeing((120, 349, 454, 599), 0.9988538026809692)})) as server:
        detector = ObjectDetection("m", server=server.address)
        detector.load()
        results = detector.detect_objects(frame, confidence_level=0.5, overlap_threshold=0.3)
        tag = {"stream_idx": 0, "frame_idx": 17}
        detector.publish_analytics(results, tag=tag, file_path=packets)

        server.versions[1] = seeing((110, 408, 458, 667), 0.9970658421516418)
        tracker = KalmanTracker(deregister_frames=30, max_distance=100, min_inertia=0)
        objects = tracker.update(detector.detect_objects(frame, 0.5, 0.3).predictions)
        detector.publish_analytics(objects, tag="entrance", file_path=packets)
    publish_analytics({"cpu_temp": 51.2, "fan_speed": 1200}, file_path=packets)
    close_connections()

    written = [json.loads(line) for line in packets.read_text().splitlines()]
    names = ("object-detection-results", "tracking-results", "custom-event")
    for packet, name in zip(written, names, strict=True):
        expected = golden(repository, name)
        packet["results"].pop("model_version", None)
        assert without_times(packet) == without_times(expected)
        assert set(expected) <= set(packet) <= set(expected) | ADDED
    assert written[0]["results"]["duration"] > 0


def test_masks_are_published_as_the_share_they_cover(packets: Path) -> None:
    mask = np.zeros((720, 1280), np.bool_)
    mask[:180] = True
    found = InstanceSegmentationPrediction(BoundingBox(0, 0, 1280, 180), 0.5, "cat", 0, mask)

    publish_analytics(InstanceSegmentationResults([found], 0.01, "m"), file_path=packets)

    packet = json.loads(packets.read_text())
    assert packet["type"] == "InstanceSegmentationResults"
    (prediction,) = packet["results"]["predictions"]
    assert prediction["area"] == 0.25
    assert "mask" not in prediction


def test_readers_of_codes_publish_under_their_own_name(packets: Path) -> None:
    reader = QRCodeDetection()
    reader.publish_analytics(reader.localize_decode(np.zeros((90, 90, 3), np.uint8)), "t", packets)

    packet = json.loads(packets.read_text())
    assert (packet["type"], packet["base_service"]) == ("QRCodeDetectionResults", "QRCodeDetection")
    assert load_analytics_results(packets)
