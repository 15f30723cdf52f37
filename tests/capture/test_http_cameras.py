from itertools import pairwise
from pathlib import Path

import pytest

from camfleet_capture.sources.v4l2.nodes import Devices
from fakes_capture import LENGTH, RunningCapture, camera_lines, capture_running, read_numbers
from fakes_mjpeg import FPS, mjpeg_camera
from waiting import wait_until


def reason(capture: RunningCapture, camera: str) -> str:
    return str(wait_until(lambda: capture.state(camera)["reason"], 60, f"reason of {camera}"))


def test_mjpeg_camera_is_passed_on_picture_by_picture_at_its_own_pace(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    with mjpeg_camera(login="admin:pa ss") as camera:
        file.write_text(camera_lines(door=camera.url) + "    credentials: ${env:DOOR}\n")
        with capture_running(file, environment={"DOOR": "admin:pa ss"}) as capture:
            state = capture.wait_for("door", "LIVE")
            seen = read_numbers(capture.url("door"), 4 * FPS)
    assert state["codec"] == "mjpeg"
    assert all(b == (a + 1) % LENGTH for a, b in pairwise(seen.numbers))
    lasted_s = seen.times_s[-1] - seen.times_s[FPS]
    assert lasted_s == pytest.approx(3 - 1 / FPS, abs=1)  # at a guessed 25 a second: 1.4


def test_mjpeg_camera_that_goes_and_comes_back_is_live_again(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    with mjpeg_camera() as camera:
        port = camera.server_address[1]
        file.write_text(camera_lines(door=camera.url))
        with capture_running(file) as capture:
            capture.wait_for("door", "LIVE")
            camera.over.set()
            lost = reason(capture, "door")
            camera.shutdown()
            camera.server_close()
            with mjpeg_camera(port):
                back = capture.wait_for("door", "LIVE")
                assert read_numbers(capture.url("door"), 3).numbers
    assert f"http://127.0.0.1:{port}/video" in lost
    assert back["reconnects"] >= 1


def test_refusals_of_an_http_camera_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    with mjpeg_camera(login="admin:secret") as camera:
        other = camera.url.replace("/video", "/other")
        file.write_text(camera_lines(locked=camera.url, elsewhere=other))
        with capture_running(file) as capture:
            assert "refuses the user or password" in reason(capture, "locked")
            assert "knows no such path (404)" in reason(capture, "elsewhere")


def test_auto_without_a_device_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "videodev").touch()
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(any="auto"))
    with capture_running(file, devices=Devices(tmp_path, tmp_path / "class")) as capture:
        assert capture.wait_for("any", "FAILED")["source_kind"] == "auto"
        assert reason(capture, "any") == (
            f"source auto: no camera found at {tmp_path}/video*; plug one in"
        )
