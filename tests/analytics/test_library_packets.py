"""What results, events and values look like in a packet, and read back from it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet.object_trackers.kalman import KalmanTracker
from camfleet.publishing.events import (
    CustomEvent,
    EndTimedEvent,
    StartTimedEvent,
    ValueEvent,
)
from camfleet.publishing.packets import (
    line_of,
    packet_of,
    parse_analytics_packet,
)
from camfleet.publishing.serialize import to_json_serializable
from camfleet.results.boxes import BoundingBox
from camfleet.results.classification import ClassificationPrediction, ClassificationResults
from camfleet.results.codes import QRCodeDetectionPrediction, QRCodeDetectionResults
from camfleet.results.poses import HumanPoseResult, KeyPoint, Pose
from moving import seen
from published import EVENTS, MONITOR, NOW, written


def test_detections_are_written_as_the_envelope_has_them() -> None:
    packet = written(line_of(packet_of(MONITOR, "a tag", device_id="box")))
    assert (packet["type"], packet["base_service"]) == ("ObjectDetectionResults", "ObjectDetection")
    assert (packet["tag"], packet["device_id"]) == ("a tag", "box")
    assert packet["timestamp"].endswith("Z")
    assert packet["results"] == {
        "predictions": [
            {
                "box": {
                    "start_x": 120, "start_y": 349, "end_x": 454, "end_y": 599,
                    "center_x": 287.0, "center_y": 474.0,
                },
                "confidence": 0.9988538, "label": "tvmonitor", "index": 20,
            }
        ],
        "duration": 0.0164310,
        "model_id": "alwaysai/mobilenet_ssd",
    }  # fmt: skip


def test_tracked_objects_are_written_with_their_estimates() -> None:
    tracker = KalmanTracker(min_inertia=1)
    results = tracker.update([seen(284, 537.5, "tvmonitor")])
    results.model_id = "alwaysai/mobilenet_ssd"
    packet = written(line_of(packet_of(results)))
    assert packet["type"] == "TrackingResults"
    (one,) = packet["results"]["objects"]
    assert (one["id"], packet["results"]["tracking_algorithm"]) == (0, "KalmanTracker")
    assert one["ObjectDetectionPrediction"]["estimate"] == pytest.approx([284, 537.5], abs=1)
    assert packet["results"]["model_id"] == "alwaysai/mobilenet_ssd"


def test_custom_events_are_any_dict_and_tags_any_json() -> None:
    for results in ({"cpu_temp": 51.2, "fan_speed": 1200}, CustomEvent({"cpu_temp": 51.2})):
        packet = written(line_of(packet_of(results, {"stream_idx": 0, "frame_idx": 17})))
        assert (packet["type"], packet["base_service"]) == ("CustomEvent", None)
        assert packet["tag"] == {"stream_idx": 0, "frame_idx": 17}
        assert packet["results"]["cpu_temp"] == 51.2
    assert packet_of(7).results == {"value": 7}


def test_results_of_other_services_are_written_field_by_field() -> None:
    classes = ClassificationResults([ClassificationPrediction("cat", 0.75, 3)], 0.1, "m")
    packet = packet_of(classes)
    assert (packet.type, packet.base_service) == ("ClassificationResults", "Classification")
    assert packet.results["predictions"] == [{"label": "cat", "confidence": 0.75, "index": 3}]
    assert parse_analytics_packet(line_of(packet)) == classes
    box = BoundingBox(1, 2, 3, 4)
    pose = Pose({"Nose": KeyPoint(5, 6)}, 0.5, box, {"Nose": 0.5})
    poses = packet_of(HumanPoseResult([pose], 0.1, "m"))
    assert (poses.type, poses.base_service) == ("HumanPoseResult", "PoseEstimation")
    assert poses.results["poses"][0]["key_points"] == {"Nose": [5, 6]}
    assert parse_analytics_packet(line_of(poses)) == poses.results
    image = np.zeros((9, 9, 3), np.uint8)
    code = packet_of(QRCodeDetectionResults([QRCodeDetectionPrediction("hello", box)], 0.1, image))
    assert code.results["predictions"][0]["info"] == "hello"
    assert "image" not in code.results


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_read_back_as_it_was(event: Any) -> None:
    packet = packet_of(event)
    assert packet.type == type(event).__name__
    again = parse_analytics_packet(line_of(packet))
    assert type(again) is type(event)
    assert to_json_serializable(again) | {"data": event_data(event)} == (
        to_json_serializable(event) | {"data": event_data(event)}
    )


def event_data(event: Any) -> Any:
    """No data is an empty dict on the wire."""
    return getattr(event, "data", None) or {}


def test_value_event_takes_both_orders_of_edgeiq() -> None:
    label: Any = "queue"  # comes first in the newer one
    value: Any = 12
    newer = ValueEvent(NOW, label, value)
    assert (newer.value, newer.event_label) == (12, "queue")


def test_end_of_an_event_takes_both_orders_of_edgeiq() -> None:
    begun = StartTimedEvent(NOW, "bent_over")
    ends = [
        EndTimedEvent(NOW, str(begun.event_id), "bent_over"),
        EndTimedEvent(NOW, "bent_over", str(begun.event_id)),
    ]
    assert {(one.event_id, one.event_label) for one in ends} == {(begun.event_id, "bent_over")}
    own = EndTimedEvent(NOW, "42", "bent_over")
    assert (own.event_id, own.event_label) == ("42", "bent_over")


def test_camera_of_an_event_is_that_of_its_packet() -> None:
    assert packet_of(EVENTS[0]).camera == "door"
    assert packet_of(MONITOR).camera is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.array([[1, 2]], np.uint8), [[1, 2]]),
        (float("nan"), None),
        ({1: (2, {3})}, {"1": [2, [3]]}),
        (Path("a/b"), "a/b"),
        (np.bool_(True), True),
        (True, True),
    ],
)
def test_values_become_what_json_has(value: Any, expected: Any) -> None:
    assert to_json_serializable(value) == expected
    json.dumps(to_json_serializable(value), allow_nan=False)


def test_estimate_beside_the_prediction_is_read_too() -> None:
    tracked = KalmanTracker(min_inertia=1).update([seen(50, 60)])
    packet = written(line_of(packet_of(tracked)))
    (one,) = packet["results"]["objects"]
    one["estimate"] = one["ObjectDetectionPrediction"].pop("estimate")
    again = parse_analytics_packet(json.dumps(packet))
    assert again[0].estimated_position == pytest.approx([50, 60], abs=0.1)
