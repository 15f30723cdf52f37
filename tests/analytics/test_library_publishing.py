"""What applications publish into files, and what is refused before it is sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camfleet.app_config import AppConfig
from camfleet.apps.application import BadApplication
from camfleet.object_trackers.kalman import KalmanTracker
from camfleet.publishing.errors import (
    BadAnalytics,
    CannotPublish,
    PacketRateError,
    PacketSizeError,
)
from camfleet.publishing.events import (
    CustomEvent,
    OccurrenceEvent,
    generate_event_timestamp,
)
from camfleet.publishing.packets import (
    load_analytics_results,
)
from camfleet.publishing.publisher import (
    analytics_destinations,
    publish_analytics,
    write_object_detection_results_to_analytics_file,
    write_tracking_results_to_analytics_file,
)
from moving import seen
from published import MONITOR, own_application, written


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_application(tmp_path, monkeypatch) as folder:
        yield folder


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
    (chosen,) = load_analytics_results(filepath=path, packet_types=["TrackingResults"])
    assert list(chosen) == list(tracking)
    assert detected == MONITOR
    assert sorted(tracking) == [0, 1]
    assert tracking[1].box == tracked[1].box
    assert tracking[1].estimated_position == pytest.approx(tracked[1].estimated_position, abs=0.01)
    assert custom == CustomEvent({"cpu_temp": 51})
    assert len(path.read_text().splitlines()) == 3


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


def test_switch_of_the_application_names_this_machines_fleet(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_PORT", "5055")
    configure(elsewhere, enable_cloud_publish=True)
    assert analytics_destinations() == ["http://127.0.0.1:5055/v1/events"]
