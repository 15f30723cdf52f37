"""State, login and health over HTTP, and cameras.yaml followed while it all runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from camfleet.inference.errors import ServerAbsent
from camfleet.service.capture_watch import CaptureView
from camfleet.video.connection import ReaderState
from fakes_analytics import boxes, falling
from running_app import ONE_CAMERA, RunningApp, running_app
from waiting import wait_until

TWO_CAMERAS = ONE_CAMERA + "  - {name: yard, source: demo:street}\n"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path) as running:
        yield running


@pytest.fixture
def client(app: RunningApp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.address, headers={"x-api-key": app.key}, timeout=60) as opened:
        yield opened


def truth(time_s: float, *crossings: tuple[str, float]) -> dict[str, Any]:
    """What capture tells of a demo scene: its time and (direction, time) of each crossing."""
    return {
        "started_at": "2026-11-20T18:00:00.000Z",
        "time_s": time_s,
        "lines": {"gate": {"from": [0, 0.5], "to": [1, 0.5]}},
        "crossings": [{"line": "gate", "direction": way, "time_s": at} for way, at in crossings],
    }


def status_of(client: httpx.Client, name: str = "door") -> dict[str, Any]:
    cameras = client.get("/v1/status").json()["cameras"]
    found: dict[str, Any] = next(one for one in cameras if one["name"] == name)
    return found


def test_status_shows_what_the_page_needs(app: RunningApp, client: httpx.Client) -> None:
    steps = falling([150, 180, 210, 240, 270, 300])
    app.detector.answer = lambda asked: steps[min(asked, 6) - 1]
    app.show()
    wait_until(lambda: status_of(client)["lines"][0]["in"] == 1, 60, "the car is counted")
    status = status_of(client)
    assert (status["state"], status["reason"], status["source_kind"]) == ("LIVE", None, "demo")
    assert (status["width"], status["height"]) == (640, 480)
    assert status["model"] == {"name": "cars", "version": "1", "state": "ok", "reason": None}
    assert status["lines"][0]["by_label"] == {"car": {"in": 1, "out": 0}}
    assert status["latency_ms"] >= 0
    assert (status["reads_with"], status["frames"]["shared"]) == ([], 0)


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/v1/nothing", 404, "Not Found: GET /v1/nothing"),
        ("PATCH", "/v1/status", 405, "Method Not Allowed: PATCH /v1/status"),
    ],
)
def test_what_there_is_not_is_refused_as_everything_else_is(
    client: httpx.Client, method: str, path: str, status: int, reason: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()) == (status, {"error": reason})


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/panels/counter"])
def test_websocket_asked_by_plain_http_names_the_upgrade_that_it_needs(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert answer.json() == {"error": f"{path} is a WebSocket"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/events", "GET, HEAD, POST"),
        ("/v1/cameras/door", "DELETE, GET, HEAD, PATCH, PUT"),
    ],
)
def test_method_that_is_refused_is_told_the_others(
    client: httpx.Client, path: str, allowed: str
) -> None:
    answer = client.request("OPTIONS", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_truth_is_shown_beside_the_count_from_the_same_moment(
    app: RunningApp, client: httpx.Client
) -> None:
    app.show()
    wait_until(lambda: status_of(client)["frames"]["analysed"], 60, "a frame is analysed")
    app.tell_of_capture(truths={"door": truth(5.0, ("in", 3.0))})
    assert status_of(client)["lines"][0]["truth"] == {"in": 0, "out": 0}
    app.tell_of_capture(truths={"door": truth(7.0, ("in", 3.0), ("out", 6.0))})
    assert status_of(client)["lines"][0]["truth"] == {"in": 0, "out": 1}


def test_truth_stays_beside_the_count_while_capture_does_not_answer(
    app: RunningApp, client: httpx.Client
) -> None:
    app.show()
    wait_until(lambda: status_of(client)["frames"]["analysed"], 60, "a frame is analysed")
    app.tell_of_capture(truths={"door": truth(5.0)})
    app.tell_of_capture()
    assert status_of(client)["lines"][0]["truth"] == {"in": 0, "out": 0}


def test_status_names_the_file_to_edit_and_the_newest_event(
    app: RunningApp, client: httpx.Client
) -> None:
    app.show(count=1)
    wait_until(lambda: app.journal.newest, 60, "the camera's first event")
    document = client.get("/v1/status").json()
    assert document["cameras_file"] == str(app.file)
    assert document["newest_event"] == {"seq": app.journal.newest, "epoch": app.journal.epoch}


def test_absent_server_is_said_where_the_user_looks(app: RunningApp, client: httpx.Client) -> None:
    app.detector.answer = lambda _: ServerAbsent("h:9000")
    app.show(count=1)
    wait_until(lambda: status_of(client)["reason"], 60, "the reason is shown")
    assert status_of(client)["reason"] == "waiting for model server h:9000"
    document = client.get("/v1/status").json()
    assert document["health"]["state"] == "warning"
    assert {one["name"]: one["state"] for one in document["services"]}["model-server"] == "failed"


def test_capture_knows_best_why_a_camera_is_away(app: RunningApp, client: httpx.Client) -> None:
    app.sources["door"].lose(ReaderState.CONNECTING, "no picture of this camera yet")
    app.tell_of_capture(cameras={"door": {"state": "FAILED", "reason": "clip.mp4 is not there"}})
    status = status_of(client)
    assert (status["state"], status["reason"]) == ("FAILED", "clip.mp4 is not there")
    assert client.get("/v1/cameras/door").json()["state"] == "FAILED"


def test_capture_that_has_a_picture_does_not_hide_that_we_have_none(
    app: RunningApp, client: httpx.Client
) -> None:
    app.sources["door"].lose(ReaderState.STALLED, "the camera stopped sending")
    app.tell_of_capture(cameras={"door": {"state": "LIVE", "reason": None}})
    status = status_of(client)
    assert (status["state"], status["reason"]) == ("STALLED", "the camera stopped sending")


def test_capture_knows_nothing_of_a_sub_stream(tmp_path: Path) -> None:
    cameras = "cameras: [{name: door, source: demo:street, detect_source: rtsp://h/sub}]"
    with running_app(tmp_path, cameras) as app:
        app.sources["door"].lose(ReaderState.STALLED, "the sub-stream stopped")
        app.tell_of_capture(cameras={"door": {"state": "FAILED", "reason": "another address"}})
        [facts] = app.status.read()["cameras"]
    assert (facts["state"], facts["reason"]) == ("STALLED", "the sub-stream stopped")


def test_auto_has_a_pipeline_for_each_camera_that_capture_has_found(tmp_path: Path) -> None:
    with running_app(tmp_path, "cameras: [{name: usb, source: auto}]") as app:
        assert list(app.fleet.pipelines) == ["usb"]
        entry = {"entry": "usb", "state": "LIVE", "reason": None}
        app.tell_of_capture(cameras={"usb-1-9c0e": entry, "usb-2-9c0e": entry})
        wait_until(lambda: list(app.fleet.pipelines) == ["usb-1-9c0e", "usb-2-9c0e"], 60, "both")
        first = app.fleet.pipelines["usb-1-9c0e"]
        app.capture.take(CaptureView("capture is away"))
        app.tell_of_capture(cameras={"usb-1-9c0e": entry, "usb-2-9c0e": entry, "usb-3-1": entry})
        wait_until(lambda: len(app.fleet.pipelines) == 3, 60, "the third one")
        assert app.fleet.pipelines["usb-1-9c0e"] is first
        [facts] = [app.status.facts_of(camera) for camera in app.status.configured().cameras]
    assert facts["state"] == "LIVE"


def test_camera_is_shown_without_its_credentials(app: RunningApp, client: httpx.Client) -> None:
    facts = client.get("/v1/cameras/door").json()
    assert facts["pipeline"]["lines"][0]["from"] == [0.0, 0.5]
    assert "credentials" not in facts
    assert client.get("/v1/cameras").json()["cameras"] == [facts]


def test_scripts_are_asked_for_again_but_sent_only_when_they_changed(app: RunningApp) -> None:
    url = app.address + "/static/js/main.js"
    first = httpx.get(url, timeout=60)
    assert first.headers["cache-control"] == "no-cache"
    again = httpx.get(url, headers={"if-none-match": first.headers["etag"]}, timeout=60)
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


def test_scripts_that_the_page_names_are_asked_for_once(app: RunningApp) -> None:
    html = httpx.get(f"{app.address}/login", timeout=60).text
    [path] = re.findall(r'src="(/static/@\w+/js/login.js)"', html)
    script = httpx.get(app.address + path, timeout=60)
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.text == httpx.get(f"{app.address}/static/js/login.js", timeout=60).text


def test_unknown_camera_is_named(client: httpx.Client) -> None:
    answer = client.get("/v1/cameras/attic")
    assert (answer.status_code, "camera 'attic'" in answer.json()["error"]) == (404, True)


def test_metrics_speak_of_every_camera(app: RunningApp) -> None:
    app.show(count=2)
    text = httpx.get(app.address + "/metrics", timeout=60).text
    assert 'camfleet_camera_live{camera="door"} 1.0' in text
    assert 'camfleet_camera_stage_seconds_total{camera="door",stage="track"}' in text
    assert 'camfleet_line_crossings_total{camera="door",direction="in",line="gate"} 0.0' in text


def test_cameras_are_shown_without_secrets(app: RunningApp, client: httpx.Client) -> None:
    secret = "rtsp://me:p@ss@10.0.0.1/x?pwd=abc&token=def&channel=1"
    app.file.write_text(f"cameras: [{{name: c, source: '{secret}', detect_source: '{secret}'}}]")
    wait_until(lambda: "c" in app.fleet.pipelines, 60, "the camera")
    shown = "rtsp://***@10.0.0.1/x?pwd=***&token=***&channel=1"
    for facts in (
        client.get("/v1/cameras").json()["cameras"][0],
        client.get("/v1/cameras/c").json(),
    ):
        assert (facts["source"], facts["detect_source"]) == (shown, shown)


def test_added_camera_leaves_the_other_one_alone(app: RunningApp) -> None:
    door = app.fleet.pipelines["door"]
    app.file.write_text(TWO_CAMERAS)
    wait_until(lambda: "yard" in app.fleet.pipelines, 60, "the new camera")
    assert app.fleet.pipelines["door"] is door
    assert app.sources["yard"].is_running


def test_removed_camera_is_stopped(app: RunningApp) -> None:
    app.file.write_text("cameras: []")
    wait_until(lambda: not app.fleet.pipelines, 60, "the camera is gone")
    wait_until(lambda: not app.sources["door"].is_running, 60, "its source is stopped")


def test_changed_settings_keep_the_connection(app: RunningApp) -> None:
    door = app.fleet.pipelines["door"]
    app.file.write_text(ONE_CAMERA.replace("cars", "trucks"))
    wait_until(lambda: door.camera.pipeline.model == "trucks", 60, "the new model")
    app.detector.answer = lambda _: boxes()
    app.show(count=2)
    wait_until(lambda: "trucks" in app.detector.asked, 60, "the new model is asked")
    assert app.fleet.pipelines["door"] is door
    assert app.sources["door"].is_running


def test_bad_edit_is_refused_with_its_line_and_healed_by_a_good_one(
    app: RunningApp, client: httpx.Client
) -> None:
    app.file.write_text(ONE_CAMERA.replace("fps: 10", "fps: -1"))
    wait_until(lambda: app.fleet.fault, 60, "the refusal")
    health = client.get("/v1/status").json()["health"]
    assert f"{app.file}:3" in health["reason"]
    assert "the last good state stays" in health["reason"]
    assert list(app.fleet.pipelines) == ["door"]
    assert client.get("/readyz").status_code == 200  # it serves
    app.file.write_text(TWO_CAMERAS)
    wait_until(lambda: len(app.fleet.pipelines) == 2, 60, "the good file")
    assert app.fleet.fault is None


def test_start_needs_no_cameras_file(tmp_path: Path) -> None:
    with running_app(tmp_path, "not: [valid") as app:
        assert httpx.get(app.address + "/healthz", timeout=60).status_code == 200
        app.file.write_text(ONE_CAMERA)
        wait_until(lambda: "door" in app.fleet.pipelines, 60, "the first good file")
