"""Video streams: files, network cameras, webcams, a Jetson's camera."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from camfleet.streams import live, webcam
from camfleet.streams.errors import NoMoreFrames, StreamLost, StreamMissing, StreamNotStarted
from camfleet.streams.file import FileVideoStream
from camfleet.streams.jetson import FrameRotation, JetsonCameraMode, JetsonVideoStream
from camfleet.streams.network import IPVideoStream
from camfleet.streams.webcam import WebcamVideoStream, list_webcams
from camfleet.writers.mjpg import MjpgVideoWriter
from camfleet.writers.rtsp.writer import RtspVideoWriter
from painted import number_of, painted, write_clip, writing_on

if TYPE_CHECKING:
    from camfleet.streams.base import VideoStream


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", frames=20, fps=10)


def test_file_gives_every_frame_once_and_then_says_that_it_is_over(clip: Path) -> None:
    with FileVideoStream(clip) as stream:
        numbers = []
        while stream.more():
            numbers.append(number_of(stream.read()))
        with pytest.raises(NoMoreFrames, match=r"clip\.mp4: no more frames after 20"):
            stream.read()
    assert numbers == list(range(20))


def test_file_that_tells_of_itself_in_another_encoding_is_read(clip: Path) -> None:
    clip.write_bytes(clip.read_bytes().replace(b"Lavf", b"L\xfcvf"))  # who has written it
    with FileVideoStream(clip) as stream:
        assert number_of(stream.read()) == 0


def test_file_tells_its_rate_and_begins_anew_when_started_again(clip: Path) -> None:
    stream = FileVideoStream(str(clip)).start()
    stream.read()
    stream.read()
    assert stream.fps == 10
    assert number_of(stream.start().read()) == 0
    stream.stop()
    stream.stop()


def test_file_in_real_time_takes_as_long_as_it_lasts(clip: Path) -> None:
    began_s = time.monotonic()
    with FileVideoStream(clip, play_realtime=True) as stream:
        while stream.more():
            stream.read()
    assert time.monotonic() - began_s > 1.7


def test_file_in_real_time_leaves_out_what_a_slow_reader_misses(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileVideoStream(clip, play_realtime=True) as stream:
        assert number_of(stream.read()) == 0
        later_s = time.monotonic() + 1.0
        monkeypatch.setattr("camfleet.streams.file.time.monotonic", lambda: later_s)
        assert number_of(stream.read()) >= 9


def test_turned_film_is_read_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        lying = painted(0, 64, 32)
        lying[:, :32] = 200  # what is left here is above when it stands
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(lying, "bgr24")))
        container.mux(stream.encode())
    content = path.read_bytes()
    upright, turned = (np.array(m, ">i4").tobytes() for m in (
        [65536, 0, 0, 0, 65536], [0, 65536, 0, -65536, 0]))  # fmt: skip
    track = content.index(b"tkhd")
    changed = content[:track] + content[track:].replace(upright, turned, 1)
    path.write_bytes(changed)
    with FileVideoStream(path) as reading:
        image = reading.read()
    assert image.shape == (64, 32, 3)
    assert image[:30].mean() > 150 > image[34:].mean()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such file"), (b"", "not a video"), (b"nonsense" * 99, "not a video [^[]*$")],
    ids=["absent", "empty", "text"],
)
def test_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "film.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StreamMissing, match=rf"film\.mp4: {reason}"):
        FileVideoStream(path).start()


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev", "is a folder"), ("/dev/null", "is not a file")]
)
def test_what_is_no_file_is_no_film(path: str, reason: str) -> None:
    with pytest.raises(StreamMissing, match=rf"{path}: {reason}; give the path of a video file"):
        FileVideoStream(path).start()


def test_reading_before_the_start_is_refused(clip: Path) -> None:
    streams: list[VideoStream] = [FileVideoStream(clip), IPVideoStream("rtsp://h/x")]
    for stream in streams:
        with pytest.raises(StreamNotStarted, match=r"call start\(\)"):
            stream.read()
        assert not stream.more()


@pytest.mark.parametrize("writer_of", [MjpgVideoWriter, RtspVideoWriter], ids=["http", "rtsp"])
def test_network_camera_gives_new_frames_only(writer_of: Any) -> None:
    with (
        writer_of(port=0) as writer,
        writing_on(writer.write_frame),
        IPVideoStream(writer.address) as stream,
    ):
        numbers = [number_of(stream.read()) for _ in range(8)]
    assert len(set(numbers)) == 8
    assert stream.fps is None


def test_camera_that_stops_is_an_error_and_one_that_comes_back_is_read_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "READ_TIMEOUT_S", 1.0)
    writer = MjpgVideoWriter(port=0)
    port = int(writer.address.split(":")[2].split("/")[0])
    with writing_on(writer.write_frame):
        stream = IPVideoStream(writer.address).start()
        stream.read()
    writer.close()
    with pytest.raises(StreamLost, match="no picture for 1 s"):
        [stream.read() for _ in range(5)]
    assert "camera lost" in caplog.text  # it goes on in the background
    monkeypatch.setattr(live, "READ_TIMEOUT_S", 60.0)
    with MjpgVideoWriter(port=port) as again, writing_on(again.write_frame):
        assert stream.read().shape == (48, 64, 3)
    stream.stop()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("rtsp://u:secret@127.0.0.1:1/x", "nobody listens there"),
        ("http://127.0.0.1:1/x", "nobody listens there"),
        ("file:///etc/passwd", "not the address of a camera"),
        ("clip.mp4", "use .* FileVideoStream for a file"),
    ],
)
def test_camera_that_cannot_be_reached_is_named_once_and_without_its_password(
    url: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StreamMissing, match=reason) as caught:
        IPVideoStream(url).start()
    assert "secret" not in str(caught.value)
    assert not caplog.records


def test_wrong_path_is_told_apart_from_an_absent_host() -> None:
    with MjpgVideoWriter(port=0) as http, RtspVideoWriter(port=0) as rtsp:
        for address in (http.address, rtsp.address):
            with pytest.raises(StreamMissing, match="nothing at this path"):
                IPVideoStream(address + "-other").start()


def test_missing_webcam_lists_those_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, index, name in ((0, 0, "C920"), (1, 1, "C920"), (2, 0, "Brio")):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "index").write_text(f"{index}\n")
        (node / "name").write_text(f"{name}\n")
    assert list_webcams(tmp_path) == [(0, "C920"), (2, "Brio")]
    monkeypatch.setattr(webcam, "list_webcams", lambda: list_webcams(tmp_path))
    with pytest.raises(StreamMissing, match=r"cam=0 \(C920\), cam=2 \(Brio\)"):
        WebcamVideoStream(cam=77).start()


def test_webcam_is_opened_through_video4linux(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []
    real_open = av.open

    def open_clip(device: str, format: str | None = None) -> Any:  # noqa: A002 - PyAV's name
        asked.append((device, format))
        return real_open(str(clip))

    monkeypatch.setattr(av, "open", open_clip)
    stream = WebcamVideoStream(cam=5)
    stream._device = tmp_path / "video5"
    stream._device.touch()
    with stream:
        assert stream.read().shape == (48, 64, 3)
    assert asked[0] == (str(tmp_path / "video5"), "v4l2")


def test_jetson_camera_is_read_through_gstreamer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "gst-launch-1.0"
    program.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv[1:]))\n"
        "while True:\n    sys.stdout.buffer.write(bytes(range(6)) * (64 * 48 // 2))\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    mode = JetsonCameraMode.IMX219_1920x1080_30_2
    with JetsonVideoStream(1, FrameRotation.ROTATE_90, mode, 64, 48) as stream:
        image = stream.read()
    assert image.shape == (64, 48, 3)
    assert image[0, 0].tolist() == [0, 1, 2]
    asked = (tmp_path / "asked").read_text()
    assert "nvarguscamerasrc sensor-id=1 sensor-mode=2" in asked
    assert "width=1920,height=1080,framerate=30/1" in asked
    assert "flip-method=3" in asked


def test_jetson_camera_elsewhere_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StreamMissing, match=r"gst-launch-1\.0 is not installed here"):
        JetsonVideoStream(0).start()
