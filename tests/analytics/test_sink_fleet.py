"""Sinks as cameras.yaml wants them: set up, changed and removed while running, and shown."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from camfleet.cli.checks.sinks import check_sinks
from camfleet.service.sinks import registry
from camfleet.service.sinks.ports import CameraNow
from camfleet_contracts.cameras_file import parse_cameras
from camfleet_contracts.settings import read_settings
from camfleet_contracts.sinks import SINK_KINDS
from running_app import RunningApp, running_app
from sink_bench import crossing
from waiting import wait_until

CAMERAS = """
sinks:
  all: {kind: file, path: all.jsonl}
  some: {kind: file, path: some.jsonl}
cameras:
  - {name: door, source: demo:street, enabled: false}
  - {name: yard, source: demo:street, enabled: false, pipeline: {sinks: [websocket, all]}}
"""  # disabled, so that all events are those of the tests
ZONE_AND_LINE = """
cameras:
  - name: door
    source: demo:street
    pipeline:
      lines: [{name: gate, from: [0, 0.5], to: [1, 0.5]}]
      zones: [{name: porch, polygon: [[0, 0], [1, 0], [1, 1]]}]
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path, CAMERAS) as running:
        yield running


def seqs(file: Path) -> list[int]:
    return [json.loads(line)["seq"] for line in file.read_text().splitlines()]


def has_lines(file: Path, count: int) -> Callable[[], bool]:
    return lambda: file.is_file() and len(file.read_text().splitlines()) == count


def status(app: RunningApp) -> dict[str, Any]:
    answer = httpx.get(f"{app.address}/v1/status", headers={"x-api-key": app.key}, timeout=60)
    found: dict[str, Any] = answer.json()
    return found


def change(app: RunningApp, text: str) -> None:
    app.file.write_text(text)
    app.fleet.follow_file()
    app.fleet.follow_file()


def test_camera_chooses_its_sinks(app: RunningApp, tmp_path: Path) -> None:
    events = tmp_path / "events"
    app.hub.publish_event(crossing(1, "door"))
    app.hub.publish_event(crossing(1, "yard"))
    app.hub.publish_event(crossing(2, "door"))
    wait_until(has_lines(events / "all.jsonl", 3), 60, "all events")
    wait_until(has_lines(events / "some.jsonl", 2), 60, "the events of one camera")
    assert seqs(events / "some.jsonl") == [1, 3]


def test_change_of_a_sink_touches_that_sink_only(app: RunningApp, tmp_path: Path) -> None:
    before = dict(app.sinks._runners)
    change(app, CAMERAS.replace("some.jsonl", "other.jsonl"))
    app.hub.publish_event(crossing(1))
    wait_until(has_lines(tmp_path / "events" / "other.jsonl", 1), 60, "the event")
    assert app.sinks._runners["all"] is before["all"]
    assert app.sinks._runners["some"] is not before["some"]
    assert not before["some"][1]._thread.is_alive()


def test_sink_that_is_removed_ends(app: RunningApp) -> None:
    runner = app.sinks._runners["some"][1]
    change(app, CAMERAS.replace("  some: {kind: file, path: some.jsonl}\n", ""))
    assert [sink["name"] for sink in status(app)["sinks"]] == ["all"]
    assert not runner._thread.is_alive()


def test_sink_that_comes_back_gets_what_happened_meanwhile(app: RunningApp, tmp_path: Path) -> None:
    change(app, CAMERAS.replace("  some: {kind: file, path: some.jsonl}\n", ""))
    app.hub.publish_event(crossing(1))
    change(app, CAMERAS)
    wait_until(has_lines(tmp_path / "events" / "some.jsonl", 1), 60, "the event")


def test_bad_edit_leaves_all_sinks_as_they_are(app: RunningApp) -> None:
    before = dict(app.sinks._runners)
    change(app, CAMERAS.replace("kind: file, path: some", "kind: disk, path: some"))
    assert app.sinks._runners == before
    assert "cameras.yaml:4: sink 'some': kind: 'disk'" in status(app)["health"]["reason"]


def test_status_and_metrics_show_each_sink(app: RunningApp, tmp_path: Path) -> None:
    app.hub.publish_event(crossing(1))
    wait_until(lambda: app.journal.cursors.get("all") == (1, 0, 0), 60, "the event is delivered")
    sink = status(app)["sinks"][0]
    kept = {name: sink[name] for name in ("name", "kind", "state", "queued", "dropped")}
    metrics = httpx.get(f"{app.address}/metrics", timeout=60).text
    assert kept == {"name": "all", "kind": "file", "state": "connected", "queued": 0, "dropped": 0}
    assert 'camfleet_sink_delivered_total{kind="file",sink="all"} 1.0' in metrics
    assert 'camfleet_sink_connected{kind="file",sink="all"} 1.0' in metrics


def test_sinks_learn_what_a_camera_is_once_its_settings_are_in_force(tmp_path: Path) -> None:
    with running_app(tmp_path, ZONE_AND_LINE) as app:
        [camera] = parse_cameras(ZONE_AND_LINE, path=app.file).cameras
        other = camera.model_copy(update={"source": "testcard"})
        assert app.sinks.now(camera) == CameraNow("LIVE", {"gate": (0, 0)}, {"porch": 0})
        assert app.sinks.now(other) is None


def test_page_and_health_tell_of_a_sink_that_is_down(app: RunningApp, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("no folder")
    change(app, CAMERAS.replace("some.jsonl", f"{blocked}/x.jsonl"))
    wait_until(lambda: status(app)["sinks"][1]["state"] == "waiting", 60, "it is down")
    found = status(app)
    reason = found["sinks"][1]["reason"]
    assert str(blocked) in reason
    assert {"name": "sink some", "state": "warning", "reason": reason} in found["services"]
    assert found["health"] == {"state": "warning", "reason": f"sink some: {reason}"}
    assert found["services"][-2] == {"name": "sink all", "state": "ok", "reason": None}


def test_doctor_tells_of_a_sink_that_is_down(app: RunningApp, tmp_path: Path) -> None:
    change(app, CAMERAS.replace("some.jsonl", f"{app.file}/x.jsonl"))
    wait_until(lambda: status(app)["sinks"][1]["state"] == "waiting", 60, "it is down")
    settings = read_settings(state_dir=tmp_path, streamer_port=app.port)
    well, down = check_sinks(settings)
    assert (well.check, well.verdict) == ("sink all", "ok")
    assert (down.check, down.verdict) == ("sink some", "bad")
    assert "File exists (0 wait, 0 delivered, 0 dropped)" in down.text


def test_sink_that_a_camera_names_and_nobody_set_up_is_shown(app: RunningApp) -> None:
    named = CAMERAS.replace("[websocket, all]", "[mqtt]").replace("enabled: false", "enabled: true")
    app.sinks.follow(parse_cameras(named, path=app.file))
    missing = status(app)["sinks"][-1]
    assert (missing["name"], missing["state"]) == ("mqtt", "unusable")
    assert "not set up under 'sinks:'" in missing["reason"]


def test_every_kind_of_sink_can_be_opened() -> None:
    assert set(registry._OPENERS) == set(SINK_KINDS)
