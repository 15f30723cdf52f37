"""What applications publish to a fleet, and what the fleet refuses."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from camfleet.publishing.errors import (
    PublishRefused,
)
from camfleet.publishing.fleet_queue import FleetQueue
from camfleet.publishing.packets import (
    line_of,
    packet_of,
)
from camfleet.publishing.publisher import (
    publish_analytics,
)
from camfleet_contracts.packets import LARGEST_REQUEST_BYTES
from published import EVENTS, MONITOR, NOW, own_application, written
from running_app import RunningApp, running_app
from waiting import wait_until


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_application(tmp_path, monkeypatch) as folder:
        yield folder


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


def test_wrong_key_is_an_error_of_the_next_packet(
    fleet: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMFLEET_API_KEY", "wrong")

    def publish() -> None:
        publish_analytics({"a": 1})

    with pytest.raises(PublishRefused, match=r"401 .*set CAMFLEET_API_KEY"):
        wait_until(publish, 60, "the refusal")


def test_address_without_a_scheme_is_an_error_of_the_next_packet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAMFLEET_ANALYTICS", "fleet.local")

    def publish() -> None:
        publish_analytics({"a": 1})

    with pytest.raises(PublishRefused, match=r"no address .*set CAMFLEET_ANALYTICS to http"):
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
    return httpx.post(
        f"{box.address}/v1/events", content=body, headers={"x-api-key": key}, timeout=60
    )


def packet_with(**fields: Any) -> str:
    needed = {"timestamp": "2026-11-29T10:00:00Z", "type": "CustomEvent", "results": {}}
    return json.dumps(needed | fields)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("no", "packet 1: not JSON"),
        ("[]", "packet 1: a packet must be an object"),
        ('{"timestamp": "2026-11-29T10:00:00Z", "type": "X", "results": {}}', "'X' is unknown"),
        ('{"timestamp": "soon", "type": "CustomEvent", "results": {}}', "timestamp"),
        ('{"type": "CustomEvent", "results": {}}', "timestamp: Field required"),
        ("[" * 100_000, "not JSON"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("{}\n" * 201, "201 packets, at most 200"),
        (packet_with(results={"event_label": ["a"]}), "event_label must be a text of 1 to 64"),
        (packet_with(results={"event_label": "a" * 65}), "event_label must be a text of 1 to 64"),
        (packet_with(results={"event_label": "zone_left"}), "'zone_left' is the fleet's own"),
        (packet_with(results={"text": "\ud800"}), "cannot be written as JSON"),
        (packet_with(timestamp="0001-01-01T00:00:00+14:00"), "is out of range in UTC"),
        (packet_with(results={"deep": json.loads("[" * 900 + "]" * 900)}), "cannot be written"),
        (packet_with(event_id="two\nlines"), "event_id must be at most 64 ASCII"),
        (packet_with(event_id="a" * 65), "event_id must be at most 64 ASCII"),
        (packet_with(camera=""), "camera must have 1 to 64 letters"),
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


def test_a_packet_without_an_id_is_given_one(box: RunningApp) -> None:
    assert post(box, packet_with()).json() == {"taken": 1}
    [event] = box.journal.read(box.journal.newest - 1, 1)
    assert len(json.loads(event.text)["event_id"]) == 36


def test_fleet_refuses_viewers_floods_and_giants(box: RunningApp) -> None:
    line = line_of(packet_of({"a": 1})) + "\n"
    assert post(box, line, "viewer").status_code == 403
    assert post(box, b"x" * (LARGEST_REQUEST_BYTES + 1)).status_code == 413
    flood = post(box, line * 150)
    assert (flood.status_code, flood.headers["retry-after"]) == (429, "1")
    assert "may publish 100 packets a second" in flood.json()["error"]
