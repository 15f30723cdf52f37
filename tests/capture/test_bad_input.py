"""What a bad source does to its camera: the state says it in words, all else goes on, it heals.

Missing and silent devices: test_v4l2_device.py. Files that are no video, or hold none, silent
servers and jumps of the camera's clock: test_sources.py. HTTP refusals: test_http_cameras.py.
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from camfleet_contracts.keys import KeyStore
from fakes_capture import (
    RunningCapture,
    camera_lines,
    capture_running,
    read_numbers,
    write_clip,
)
from fakes_streams import corrupting, stream_server, untouched, write_textured_stream
from free_ports import free_port
from waiting import wait_until

LENGTH_S = 2.0


@pytest.fixture(scope="module")
def stream_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("ts") / "live.ts", pictures=60)


@pytest.fixture
def locked(tmp_path: Path, clip: Path) -> Iterator[RunningCapture]:
    """A network camera that wants user and password: another capture."""
    (tmp_path / "far").mkdir()
    file = tmp_path / "far" / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file, bind="0.0.0.0", allow_cidr="127.0.0.0/8") as remote:
        yield remote


def reason(capture: RunningCapture, camera: str) -> str:
    return str(wait_until(lambda: capture.state(camera)["reason"], 60, f"reason of {camera}"))


def test_cameras_that_were_never_there_hold_up_no_other(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dead = {
            "refusing": "rtsp://127.0.0.1:9/main",
            "silent": f"rtsp://127.0.0.1:{silent.getsockname()[1]}/main",
            "unplugged": "/dev/video99",
            "absent": "absent.mp4",
        }
        file.write_text(camera_lines(**dead, works=str(clip)))
        with capture_running(file) as capture:
            capture.wait_for("works", "LIVE")
            given_up = capture.state("silent")["reason"]  # that takes 5 s
            assert len(read_numbers(capture.url("works"), 60).numbers) == 60
            reasons = {name: reason(capture, name) for name in dead}
            works = capture.state("works")
    assert given_up is None
    assert (works["state"], works["reason"], works["reconnects"]) == ("LIVE", None, 0)
    assert "connection refused; is the camera on?" in reasons["refusing"]
    assert "no answer in 5 s" in reasons["silent"]
    assert "not there; is it plugged in?" in reasons["unplugged"]
    assert "file absent.mp4: not there; check the path" in reasons["absent"]


def test_wrong_passwords_and_paths_of_an_rtsp_camera_are_told_apart(
    tmp_path: Path, locked: RunningCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = KeyStore(locked.state_dir / "keys.json").fleet_secret()
    logins = {"GOOD": f"camfleet:{secret}", "BAD": "camfleet:wr0ng-w0rd"}
    entry = "  - {{name: {}, source: '{}', credentials: '${{env:{}}}'}}\n"
    file = tmp_path / "cameras.yaml"
    file.write_text(
        "cameras:\n"
        + entry.format("good", locked.url("one"), "GOOD")
        + entry.format("wrong", locked.url("one"), "BAD")
        + entry.format("elsewhere", locked.url("two"), "GOOD")
        + entry.format("unset", locked.url("one"), "NOT_SET")
    )
    with capture_running(file, environment=logins) as capture:
        reasons = {name: reason(capture, name) for name in ("wrong", "elsewhere", "unset")}
        capture.wait_for("good", "LIVE")
        told = capture.get("/cameras").text + capture.get("/metrics").text
        told += capture.get("/cameras/wrong/snapshot.jpg").text
    assert "refuses the user or password; check credentials" in reasons["wrong"]
    assert "knows no such path (404)" in reasons["elsewhere"]
    assert reasons["unset"] == "credentials: ${env:NOT_SET} is not there"
    logged = capfd.readouterr()
    assert not [text for text in (told, logged.out, logged.err) if secret in text]
    assert not [text for text in (told, logged.out, logged.err) if "wr0ng-w0rd" in text]


def test_a_password_inside_the_address_is_never_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    file = tmp_path / "cameras.yaml"
    file.write_text(
        camera_lines(
            a=f"rtsp://admin:wr0ng-w0rd@{address}/1",
            b=f"http://admin:wr0ng-w0rd@{address}/v.mjpg?token=wr0ng-w0rd",
        )
    )
    with capture_running(file) as capture:
        reasons = reason(capture, "a"), reason(capture, "b")
        told = capture.get("/cameras").text + capture.get("/cameras/a/snapshot.jpg").text
        with pytest.raises(av.error.HTTPServerError) as refused:
            read_numbers(capture.url("a"), 1)
    logged = capfd.readouterr()
    assert all("connection refused; is the camera on?" in each for each in reasons)
    assert "wr0ng-w0rd" not in told + logged.out + logged.err + str(refused.value)


def says_damaged(capture: RunningCapture) -> bool:
    return "pictures arrive damaged; check the network" in str(capture.state("bad")["reason"])


def test_a_stream_with_a_third_of_its_packets_spoilt_says_so_and_heals(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.pictures.watch.INTERVALS_S", (0.3,))
    file = tmp_path / "cameras.yaml"
    with stream_server((write_textured_stream(tmp_path / "live.ts"), LENGTH_S)) as server:
        file.write_text(camera_lines(bad=server.url, good=str(clip)))
        with capture_running(file) as capture:
            capture.wait_for("bad", "LIVE")
            wait_until(lambda: capture.state("bad")["picture"] == "clear", 60, "clear")
            server.harm = corrupting(0.3)
            wait_until(lambda: says_damaged(capture), 60, "the damage is said")
            assert capture.state("good")["reconnects"] == 0
            server.harm = untouched
            wait_until(lambda: capture.state("bad")["picture"] == "clear", 60, "healed")
            wait_until(lambda: not says_damaged(capture), 60, "healed")


def test_a_stream_that_changes_its_size_goes_on_in_the_new_size(
    tmp_path: Path, stream_clip: Path
) -> None:
    other = write_clip(tmp_path / "other.ts", pictures=60, size=(640, 128))
    file = tmp_path / "cameras.yaml"
    with stream_server((stream_clip, LENGTH_S), (other, LENGTH_S)) as server:
        file.write_text(camera_lines(one=server.url))
        with capture_running(file) as capture:
            capture.wait_for("one", "LIVE")
            wait_until(lambda: size_of(capture) == (640, 128), 60, "the other size")
            wait_until(lambda: size_of(capture) == (320, 64), 60, "the first size again")
            assert capture.state("one")["reconnects"] == 0


def size_of(capture: RunningCapture) -> tuple[int, int]:
    state = capture.state("one")
    return state["width"], state["height"]


@pytest.mark.parametrize("jump_s", [-86_400, 86_400], ids=["back a day", "on a day"])
def test_a_wall_clock_that_jumps_stops_no_camera(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    real_time = time.time
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip), card="testcard"))
    with capture_running(file) as capture:
        for name in ("one", "card"):
            capture.wait_for(name, "LIVE")
        monkeypatch.setattr(time, "time", lambda: real_time() + jump_s)
        assert len(read_numbers(capture.url("one"), 10).numbers) == 10
        frames = capture.state("card")["frames"]
        wait_until(lambda: capture.state("card")["frames"] > frames + 10, 60, "more pictures")
        assert [capture.state(name)["reconnects"] for name in ("one", "card")] == [0, 0]
