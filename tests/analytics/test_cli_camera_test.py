import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from camfleet.cli.media import read_frames
from camfleet.streams.file import FileVideoStream
from camfleet.video.look import NothingCame, look_at
from camfleet.writers.video_file import VideoWriter
from cli_runs import CommandLine
from free_ports import free_port
from processes import running
from waiting import wait_until


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    command_line = CommandLine(tmp_path, monkeypatch, capsys)
    command_line.make_volume()
    return command_line


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    with VideoWriter(tmp_path / "clip.mp4", fps=10) as film:
        for level in range(0, 250, 10):
            film.write_frame(np.full((120, 160, 3), level, np.uint8))
    return tmp_path / "clip.mp4"


def test_a_film_tells_codec_size_and_rate(camfleet: CommandLine, clip: Path) -> None:
    found = json.loads(camfleet.run("camera", "test", str(clip), "--json").out)
    assert (found["codec"], found["width"], found["height"]) == ("h264", 160, 120)
    assert found["fps"] == 10
    assert found["first_picture_s"] > 0


def test_a_film_is_opened_by_its_name_alone(
    camfleet: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with VideoWriter("12:30.mp4", fps=10) as film:
        for _ in range(10):
            film.write_frame(np.zeros((120, 160, 3), np.uint8))
    assert (tmp_path / "12:30.mp4").is_file()
    assert json.loads(camfleet.run("camera", "test", "12:30.mp4", "--json").out)["fps"] == 10
    assert len(list(read_frames(Path("12:30.mp4")))) == 10
    with FileVideoStream("12:30.mp4") as stream:
        assert stream.read().shape == (120, 160, 3)
    with pytest.raises(NothingCame, match="No such file"):
        look_at(f"concat:{tmp_path}/12:30.mp4", 10)


def test_a_picture_is_saved(camfleet: CommandLine, clip: Path, tmp_path: Path) -> None:
    picture = tmp_path / "new" / "snapshot.jpg"
    camfleet.run("camera", "test", str(clip), "--save", str(picture))
    image = cv2.imread(str(picture))
    assert image is not None
    assert image.shape == (120, 160, 3)


def test_no_password_is_ever_written(camfleet: CommandLine) -> None:
    url = f"rtsp://user:secret@127.0.0.1:{free_port()}/live?token=hidden"
    outcome = camfleet.run("camera", "test", url)
    assert outcome.code == 1
    assert "Connection refused" in outcome.err
    assert "secret" not in outcome.out + outcome.err
    assert "hidden" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nothing.mp4", "neither a camera of"),
        ("/dev/video77", "is it plugged in"),
        ("demo:street", "demo source, and it does not answer or has not"),
        ("picamera", "only capture opens a picamera source; add it with"),
        ("ftp://10.0.0.5/x", "scheme 'ftp'"),
    ],
)
def test_a_source_that_cannot_be_opened_says_why(
    camfleet: CommandLine, source: str, reason: str
) -> None:
    camfleet.run("camera", "add", "other", "demo:street")
    outcome = camfleet.run("camera", "test", source)
    assert outcome.code == 1
    assert reason in outcome.err


def test_a_camera_that_says_nothing_is_told_from_one_that_is_not_there(
    camfleet: CommandLine,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        outcome = camfleet.run("camera", "test", address, "--timeout", "0.5")
    assert f"{address}: connected, and no picture within 0.5 s" in outcome.err


def test_a_file_that_is_no_film_is_named(camfleet: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"this is no film" * 50)
    outcome = camfleet.run("camera", "test", str(tmp_path / "film.mp4"))
    assert "film.mp4: Invalid data found" in outcome.err


@pytest.fixture
def capture(camfleet: CommandLine, clip: Path) -> Iterator[None]:
    camfleet.run("camera", "add", "film", str(clip))
    rtsp, http = free_port(), free_port()
    camfleet.set(RTSP_PORT=rtsp, CAPTURE_HTTP_PORT=http)
    cameras = str(camfleet.models / "cameras.yaml")
    ports = (f"--rtsp-port={rtsp}", f"--http-port={http}")
    with running("camfleet-capture", f"--cameras={cameras}", *ports) as service:
        service.logged("camera live camera=film")
        yield


def state_of(camfleet: CommandLine, name: str) -> str | None:
    cameras = json.loads(camfleet.run("camera", "list", "--json").out)
    return next(
        (c["state"].get("state") for c in cameras if c["name"] == name and c["state"]), None
    )


def test_a_named_pipe_is_refused_without_waiting_for_its_writer(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "live.ts")
    outcome = camfleet.run("camera", "test", str(tmp_path / "live.ts"))
    assert "live.ts: is a named pipe, and only files can be played" in outcome.err


@pytest.mark.usefixtures("capture")
def test_a_camera_is_tested_by_its_name_through_capture(camfleet: CommandLine) -> None:
    found = json.loads(camfleet.run("camera", "test", "film", "--json").out)
    assert found["source"].endswith("/film")
    assert (found["width"], found["height"]) == (160, 120)


@pytest.mark.usefixtures("capture")
def test_a_source_that_only_capture_opens_is_tested_through_it(camfleet: CommandLine) -> None:
    camfleet.run("camera", "add", "card", "testcard")
    camfleet.run("camera", "add", "gone", "/dev/video77")
    wait_until(lambda: state_of(camfleet, "card") == "LIVE", 60, "card")
    wait_until(lambda: state_of(camfleet, "gone") == "FAILED", 60, "gone")
    found = json.loads(camfleet.run("camera", "test", "card", "--json").out)
    assert (found["width"], found["height"]) == (1280, 720)
    gone = camfleet.run("camera", "test", "gone").err
    assert "camera 'gone' is FAILED: device /dev/video77: not there; is it plugged in?" in gone


@pytest.mark.usefixtures("capture")
def test_cameras_are_listed_with_their_state(camfleet: CommandLine) -> None:
    states = {
        c["name"]: c["state"] for c in json.loads(camfleet.run("camera", "list", "--json").out)
    }
    assert states["film"]["state"] == "LIVE"
