import threading
from pathlib import Path

import pytest

from camfleet_capture.camera import Camera
from camfleet_contracts.cameras_watch import CamerasWatch
from fakes_capture import camera_lines, capture_running
from waiting import wait_until


def test_edit_touches_only_the_camera_it_changes(tmp_path: Path, clip: Path, b_clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(stays=str(clip), changes=str(clip), goes=str(clip)))
    with capture_running(file) as capture:
        for name in ("stays", "changes", "goes"):
            capture.wait_for(name, "LIVE")
        frames = capture.state("stays")["frames"]
        file.write_text(camera_lines(stays=str(clip), changes=str(b_clip), comes=str(clip)))
        capture.wait_for("comes", "LIVE")
        wait_until(lambda: capture.state("changes")["source"] == str(b_clip), 60, "the change")
        capture.wait_for("changes", "LIVE")
        wait_until(lambda: capture.state("stays")["frames"] > frames + 10, 60, "more pictures")
        stayed = capture.state("stays")
        assert capture.get("/cameras/goes").status_code == 404
    assert (stayed["reconnects"], stayed["state"]) == (0, "LIVE")


def test_edit_of_a_pipeline_touches_no_camera(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        frames = capture.state("one")["frames"]
        file.write_text(camera_lines(one=str(clip)) + "    pipeline: {fps: 3}\n")
        wait_until(lambda: capture.state("one")["frames"] > frames + 20, 60, "more pictures")


def test_bad_edit_is_reported_with_its_line_and_changes_nothing(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        file.write_text(camera_lines(one=str(clip), two="gopher://x"))
        fault = wait_until(lambda: capture.get("/cameras").json()["config_fault"], 60, "fault")
        state = capture.state("one")
        file.write_text(camera_lines(one=str(clip), two=str(clip)))
        capture.wait_for("two", "LIVE")
        healed = capture.get("/cameras").json()["config_fault"]
    assert f"{file}:5: camera 'two'" in fault
    assert state["state"] == "LIVE"
    assert healed is None


def test_missing_file_is_said_and_heals(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    with capture_running(file) as capture:
        assert "cannot be read" in capture.get("/cameras").json()["config_fault"]
        assert capture.get("/readyz").status_code == 503
        file.write_text(camera_lines(one=str(clip)))
        capture.wait_for("one", "LIVE")
        assert capture.get("/readyz").status_code == 200


def test_unexpected_fault_of_reading_does_not_end_following(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cameras.yaml"
    look, faults = CamerasWatch.look, [OSError("the disk is gone"), RuntimeError("worse")]

    def fail_twice(watch: CamerasWatch) -> object:
        if faults:
            raise faults.pop()
        return look(watch)

    monkeypatch.setattr(CamerasWatch, "look", fail_twice)
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
    assert not faults


def test_camera_that_could_not_be_started_is_told_and_started_by_itself(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cameras.yaml"
    start, may_start = Camera.start, threading.Event()

    def start_when_there_is_room(camera: Camera) -> None:
        if camera.stream.name == "two" and not may_start.is_set():
            raise RuntimeError("can't start new thread")
        start(camera)

    monkeypatch.setattr(Camera, "start", start_when_there_is_room)
    file.write_text(camera_lines(one=str(clip), two=str(clip)))
    with capture_running(file) as capture:
        fault = wait_until(lambda: capture.get("/cameras").json()["config_fault"], 60, "fault")
        may_start.set()
        wait_until(lambda: capture.get("/cameras/two").status_code == 200, 60, "the camera")
        capture.wait_for("two", "LIVE")
        healed = capture.get("/cameras").json()["config_fault"]
    assert f"{file}: not followed: RuntimeError: can't start new thread" in fault
    assert healed is None


def test_path_that_no_file_can_have_is_the_reason_of_its_camera_only(
    tmp_path: Path, clip: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(long="x" * 300, below=f"{clip}/deeper", one=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        long, below = capture.wait_for("long", "FAILED"), capture.wait_for("below", "FAILED")
    assert "File name too long; check the path" in long["reason"]
    assert "file deeper: not there" in below["reason"] or "Not a directory" in below["reason"]


def test_detect_source_is_served_beside_its_camera(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)) + f"    detect_source: {clip}\n")
    with capture_running(file) as capture:
        capture.wait_for("one-sub", "LIVE")
        listed = [state["name"] for state in capture.get("/cameras").json()["cameras"]]
    assert listed == ["one"]


def test_credentials_come_from_the_environment_and_stay_secret(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    lines = camera_lines(one="rtsp://127.0.0.1:9/x", two="rtsp://127.0.0.1:9/y")
    file.write_text(lines + "    credentials: ${env:DOOR}\n")
    with capture_running(file, environment={"DOOR": "admin:s3cret"}) as capture:
        wait_until(lambda: capture.state("two")["reason"], 60, "reason")
        text = capture.get("/cameras").text
    assert "connection refused" in text
    assert "s3cret" not in text


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one="rtsp://127.0.0.1:9/x") + "    credentials: ${env:DOOR}\n")
    with capture_running(file) as capture:
        reason = capture.wait_for("one", "FAILED")["reason"]
    assert "${env:DOOR}" in reason
