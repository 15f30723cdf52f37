"""What applications publish: packets, files, the way to a fleet, and what the fleet refuses."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from camfleet.app_config import AppConfig
from camfleet.apps.application import BadApplication
from camfleet.object_trackers.kalman import KalmanTracker
from camfleet.publishing import publisher
from camfleet.publishing.errors import (
    BadAnalytics,
    CannotPublish,
    PacketRateError,
    PacketSizeError,
    PublishRefused,
)
from camfleet.publishing.events import (
    CompleteTimedEvent,
    CustomEvent,
    EndTimedEvent,
    OccurrenceEvent,
    StartTimedEvent,
    ValueEvent,
    generate_event_timestamp,
)
from camfleet.publishing.fleet_queue import FleetQueue
from camfleet.publishing.packets import (
    line_of,
    load_analytics_results,
    packet_of,
    parse_analytics_packet,
)
from camfleet.publishing.publisher import (
    analytics_destinations,
    publish_analytics,
    write_object_detection_results_to_analytics_file,
    write_tracking_results_to_analytics_file,
)
from camfleet.publishing.serialize import to_json_serializable
from camfleet.results.boxes import BoundingBox
from camfleet.results.classification import ClassificationPrediction, ClassificationResults
from camfleet.results.codes import QRCodeDetectionPrediction, QRCodeDetectionResults
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults
from camfleet.results.poses import HumanPoseResult, KeyPoint, Pose
from camfleet_contracts.packets import LARGEST_REQUEST_BYTES
from moving import seen
from running_app import RunningApp, running_app
from waiting import wait_until

MONITOR = ObjectDetectionResults(
    [ObjectDetectionPrediction(BoundingBox(120, 349, 454, 599), 0.9988538, "tvmonitor", 20)],
    0.0164310,
    "alwaysai/mobilenet_ssd",
)
NOW = "2026-11-29T10:00:00.000Z"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test is an application of its own, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("camfleet.app_config._folders", lambda: [tmp_path])
    yield tmp_path
    publisher.close_publisher()


def written(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document


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
    code = packet_of(QRCodeDetectionResults([QRCodeDetectionPrediction("hello", box)]))
    assert code.results["predictions"][0]["info"] == "hello"


EVENTS = [
    OccurrenceEvent(NOW, "people_counted", object_label="person", object_id=3,
                    camera_label="door", data={"in": 4}, zone_label="Zone A"),
    ValueEvent(NOW, 12, "queue", camera_label="door"),
    StartTimedEvent(NOW, "shift", event_id="e1"),
    EndTimedEvent(NOW, "e1", "shift"),
    CompleteTimedEvent(NOW, "2026-11-29T11:00:00.000Z", "visit", "e2", start_object_id=1),
    CustomEvent({"a": [1, None, "x"]}, tag={"b": 1}),
]  # fmt: skip


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


def test_what_has_no_form_in_json_is_named() -> None:
    with pytest.raises(TypeError, match="function has no form in JSON"):
        publish_analytics({"callback": written})


def test_results_are_written_to_a_file_and_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "results.txt"
    tracked = KalmanTracker(min_inertia=1).update([seen(50, 60), seen(200, 60)])
    write_object_detection_results_to_analytics_file(path, MONITOR)
    write_tracking_results_to_analytics_file(path, tracked)
    publish_analytics({"cpu_temp": 51}, file_path=path)
    detected, tracking, custom = load_analytics_results(path)
    assert detected == MONITOR
    assert sorted(tracking) == [0, 1]
    assert tracking[1].box == tracked[1].box
    assert tracking[1].estimated_position == pytest.approx(tracked[1].estimated_position, abs=0.01)
    assert custom == CustomEvent({"cpu_temp": 51})
    assert len(path.read_text().splitlines()) == 3


def test_estimate_beside_the_prediction_is_read_too() -> None:
    tracked = KalmanTracker(min_inertia=1).update([seen(50, 60)])
    packet = written(line_of(packet_of(tracked)))
    (one,) = packet["results"]["objects"]
    one["estimate"] = one["ObjectDetectionPrediction"].pop("estimate")
    again = parse_analytics_packet(json.dumps(packet))
    assert again[0].estimated_position == pytest.approx([50, 60], abs=0.1)


@pytest.mark.parametrize(
    "line",
    ["no json", "[1]", "{}", '{"timestamp": "x", "type": "TrackingResults", "results": {}}'],
)
def test_line_that_is_no_packet_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.txt"
    write_object_detection_results_to_analytics_file(path, MONITOR)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BadAnalytics, match=r"results\.txt, line 2: no packet"):
        load_analytics_results(path)


def test_absent_file_of_results_and_a_file_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadAnalytics, match=r"nowhere\.txt: cannot be read"):
        load_analytics_results(tmp_path / "nowhere.txt")
    (tmp_path / "file").touch()
    with pytest.raises(CannotPublish, match="check the folder's rights"):
        publish_analytics({}, file_path=tmp_path / "file" / "results.txt")


def configure(folder: Path, **analytics: Any) -> None:
    document = {"models": {"alwaysai/mobilenet_ssd": 5}, "analytics": analytics}
    document["app_configurations"] = {"fps": 5}
    (folder / "alwaysai.app.json").write_text(json.dumps(document))


def test_application_file_is_found_and_read(elsewhere: Path) -> None:
    with pytest.raises(
        BadApplication, match=r"there is no camfleet\.app\.json or alwaysai.app.json"
    ):
        AppConfig()
    configure(elsewhere)
    config = AppConfig()
    assert config.model_id_list == ["alwaysai/mobilenet_ssd"]
    assert config.app_configurations == {"fps": 5}
    assert config.app_file["app_configurations"] == {"fps": 5}
    assert not config.analytics.enable_cloud_publish
    configure(elsewhere, file_size_bytes="much")
    with pytest.raises(BadApplication, match="file_size_bytes is 'much'"):
        _ = AppConfig().analytics


def test_file_publishing_writes_beside_the_application_and_puts_old_packets_aside(
    elsewhere: Path,
) -> None:
    configure(elsewhere, enable_file_publish=True, file_size_bytes=1000)
    assert analytics_destinations() == [str(elsewhere / "var" / "analytics.txt")]
    for number in range(10):
        publish_analytics({"number": number})
    newest = load_analytics_results(elsewhere / "var" / "analytics.txt")
    aside = load_analytics_results(elsewhere / "var" / "analytics.txt.1")
    assert newest[-1].results == {"number": 9}
    assert aside[-1].results["number"] == newest[0].results["number"] - 1
    assert (elsewhere / "var" / "analytics.txt").stat().st_size <= 1000


def test_without_a_destination_the_log_says_what_to_set(
    elsewhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish_analytics({"a": 1})
    publish_analytics({"a": 2})
    assert analytics_destinations() == []
    assert caplog.text.count("analytics go nowhere: set CAMFLEET_ANALYTICS") == 1
    assert not list(elsewhere.iterdir())


def test_too_large_and_too_many_packets_are_refused() -> None:
    with pytest.raises(PacketSizeError, match="at most 262144"):
        publish_analytics({"text": "x" * 300_000})
    with pytest.raises(PacketRateError, match="more than 100 packets"):
        publish_many(150)


def publish_many(count: int) -> None:
    for number in range(count):
        publish_analytics({"number": number})


def test_label_of_the_fleets_own_events_is_refused() -> None:
    with pytest.raises(ValueError, match="'line_crossed' is the fleet's own"):
        OccurrenceEvent(generate_event_timestamp(), "line_crossed").publish_event()
    with pytest.raises(ValueError, match="has no zone"):
        OccurrenceEvent("2026-11-29T10:00:00", "x").publish_event()


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApp]:
    folder = tmp_path / "fleet"
    folder.mkdir()
    with running_app(folder, "cameras: []\n") as app:
        monkeypatch.setenv("CAMFLEET_ANALYTICS", app.address)
        monkeypatch.setenv("CAMFLEET_API_KEY", app.keys.add("app", "service"))
        yield app


def test_events_reach_the_listeners_of_the_fleet_numbered_by_its_box(fleet: RunningApp) -> None:
    with fleet.stream("since=0") as stream:
        for event in EVENTS:
            event.publish_event()
        told = [written(str(stream.recv(60))) for _ in EVENTS]
    assert [one["type"] for one in told] == [type(event).__name__ for event in EVENTS]
    assert [one["seq"] for one in told] == [1, 2, 3, 4, 5, 6]
    assert {one["device_id"] for one in told} == {"box"}
    assert told[0]["camera"] == "door"
    assert told[0]["captured_at"] == NOW
    assert told[5]["tag"] == {"b": 1}


def test_results_reach_those_who_listen_and_are_kept_by_nobody(fleet: RunningApp) -> None:
    with fleet.stream("types=ObjectDetectionResults") as stream:
        wait_until(lambda: fleet.hub.listeners, 60, "the listener")
        publish_analytics(MONITOR, tag=1)
        told = written(str(stream.recv(60)))
    assert told["results"]["predictions"][0]["label"] == "tvmonitor"
    assert fleet.journal.newest == 0


def test_switch_of_the_application_names_this_machines_fleet(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_PORT", "5055")
    configure(elsewhere, enable_cloud_publish=True)
    assert analytics_destinations() == ["http://127.0.0.1:5055/v1/events"]


def test_wrong_key_is_an_error_of_the_next_packet(
    fleet: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMFLEET_API_KEY", "wrong")

    def publish() -> None:
        publish_analytics({"a": 1})

    with pytest.raises(PublishRefused, match=r"401 .*set CAMFLEET_API_KEY"):
        wait_until(publish, 60, "the refusal")


def test_packets_wait_while_no_fleet_answers(
    fleet: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = threading.Event()
    real = FleetQueue._send

    def send(self: Any, *arguments: Any) -> bool:
        if not tries.is_set():
            tries.set()
            monkeypatch.setattr(self, "_url", "http://127.0.0.1:1/v1/events")
            done = real(self, *arguments)
            monkeypatch.setattr(self, "_url", fleet.address + "/v1/events")
            return done
        return real(self, *arguments)

    monkeypatch.setattr(FleetQueue, "_send", send)
    publish_analytics({"a": 1})
    wait_until(lambda: fleet.journal.newest == 1, 60, "the event arrives")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("box"), "cameras: []\n") as app:
        yield app


def post(box: RunningApp, body: str | bytes, role: str = "service") -> httpx.Response:
    key = box.keys.add(f"k{len(box.keys.list())}", role)
    return httpx.post(f"{box.address}/v1/events", content=body, headers={"x-api-key": key})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("no", "packet 1: no JSON"),
        ("[]", "packet 1: a packet must be an object"),
        ('{"timestamp": "2026-11-29T10:00:00Z", "type": "X", "results": {}}', "'X' is unknown"),
        ('{"timestamp": "soon", "type": "CustomEvent", "results": {}}', "timestamp"),
        ('{"type": "CustomEvent", "results": {}}', "timestamp: Field required"),
        ("[" * 100_000, "no JSON"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("{}\n" * 201, "201 packets, at most 200"),
    ],
)
def test_fleet_takes_nothing_of_a_request_that_is_wrong(
    box: RunningApp, body: str, reason: str
) -> None:
    before = box.journal.newest
    good = line_of(packet_of({"a": 1}))
    answer = post(box, body)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True)
    mixed = post(box, good + "\n" + body)
    assert mixed.status_code == 400
    assert box.journal.newest == before


def test_fleet_publishes_a_packet_once_that_is_sent_twice(box: RunningApp) -> None:
    before = box.journal.newest
    line = line_of(packet_of({"a": 1}))
    assert post(box, line + "\n" + line).json() == {"taken": 2}
    assert post(box, line).status_code == 202
    assert box.journal.newest == before + 1


def test_fleet_refuses_viewers_floods_and_giants(box: RunningApp) -> None:
    line = line_of(packet_of({"a": 1})) + "\n"
    assert post(box, line, "viewer").status_code == 403
    assert post(box, b"x" * (LARGEST_REQUEST_BYTES + 1)).status_code == 413
    flood = post(box, line * 150)
    assert (flood.status_code, flood.headers["retry-after"]) == (429, "1")
    assert "may publish 100 packets a second" in flood.json()["error"]
