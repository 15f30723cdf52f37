"""Other people's RTSP programs of the system: each test skips by name where they are missing."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from camfleet_contracts.keys import KeyStore
from fakes_capture import (
    BAR,
    BITS,
    FPS,
    HEIGHT,
    LENGTH,
    WIDTH,
    RunningCapture,
    camera_lines,
    capture_running,
    published,
    publishing_lines,
    read_numbers,
    write_clip,
    write_webcam_clip,
)
from fakes_gstreamer import gst_recorder
from waiting import wait_until

pytestmark = pytest.mark.peers

LOGIN = {"PUSH": "pusher:pa:ss"}


FORMATS: dict[str, dict[str, Any]] = {
    "plain": {},
    "b-pictures": {"b_frames": 2},
    "two-slices": {"slices": 2},
    "h264-422": {"pix_fmt": "yuv422p"},
    "h265-b": {"codec": "libx265", "b_frames": 2},
}
PICTURES = LENGTH + 5


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers")
    clips = {
        name: str(write_clip(folder / f"{name}.mp4", **settings))
        for name, settings in FORMATS.items()
    }
    clips["webcam"] = str(write_webcam_clip(folder / "webcam.avi"))
    (folder / "cameras.yaml").write_text(camera_lines(**clips))
    return folder / "cameras.yaml"


@pytest.fixture(scope="module")
def capture(cameras: Path) -> Iterator[RunningCapture]:
    with capture_running(cameras) as running:
        for name in [*FORMATS, "webcam"]:
            running.wait_for(name, "LIVE", 30)
        yield running


def numbers_of(raw: bytes) -> list[int]:
    """Numbers of pictures given as grey bytes."""
    pictures = np.frombuffer(raw, np.uint8)[: len(raw) // (WIDTH * HEIGHT) * WIDTH * HEIGHT]
    bars = pictures.reshape(-1, HEIGHT, BITS, BAR).mean(axis=(1, 3)) > 128
    return [int("".join("1" if bar else "0" for bar in picture), 2) for picture in bars]


def follows(numbers: list[int]) -> bool:
    return len(numbers) > LENGTH and all(b == (a + 1) % LENGTH for a, b in pairwise(numbers))


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} not found; apt-get install {package}")
    return path


def ffmpeg_numbers(url: str, *options: str) -> list[int]:
    command = [program("ffmpeg", "ffmpeg"), "-v", "error", "-nostdin", *options, "-i", url]
    command += ["-frames:v", str(PICTURES), "-fps_mode", "passthrough", "-pix_fmt", "gray"]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-"], capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b""
    return numbers_of(done.stdout)


def gst_numbers(*source: str) -> list[int]:
    """Decode with GStreamer, whatever its decodebin chooses."""
    command = [program("gst-launch-1.0", "gstreamer1.0-tools"), "-q", *source]
    command += ["!", "decodebin", "!", "videoconvert", "!", "video/x-raw,format=GRAY8"]
    command += ["!", "identity", f"eos-after={PICTURES + 5}", "!", "fdsink", "sync=false"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return numbers_of(done.stdout)[:PICTURES]  # what follows was cut off within its group


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("name", [*FORMATS, "webcam"])
def test_ffmpeg_shows_every_picture(capture: RunningCapture, name: str, transport: str) -> None:
    assert follows(ffmpeg_numbers(capture.url(name), "-rtsp_transport", transport))


@pytest.mark.parametrize("protocols", ["tcp", "udp"])
@pytest.mark.parametrize("name", [*FORMATS, "webcam"])
def test_gstreamer_shows_every_picture(capture: RunningCapture, name: str, protocols: str) -> None:
    source = ("rtspsrc", f"location={capture.url(name)}", f"protocols={protocols}", "latency=300")
    assert follows(gst_numbers(*source))


@pytest.mark.parametrize("name", [*FORMATS, "webcam"])
def test_opencv_shows_every_picture(capture: RunningCapture, name: str) -> None:
    reader = cv2.VideoCapture(capture.url(name), cv2.CAP_FFMPEG)
    pictures = [reader.read()[1] for _ in range(PICTURES)]
    reader.release()
    grey = b"".join(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).tobytes() for p in pictures)
    assert follows(numbers_of(grey))


@pytest.mark.parametrize("name", ["h264-422", "h265-b", "webcam"])
def test_gstreamer_takes_the_h264_made_of_what_it_is_not_given(
    capture: RunningCapture, name: str
) -> None:
    read_until_served(capture.url(f"{name}-h264"))  # rtspsrc gives its start 5 s
    location = f"location={capture.url(f'{name}-h264')}"
    assert follows(gst_numbers("rtspsrc", location, "protocols=tcp", "latency=300"))


def test_digest_and_rtsps_are_spoken_by_ffmpeg_and_gstreamer(
    cameras: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    with capture_running(cameras, bind="0.0.0.0", tls_cert=cert, tls_key=key) as guarded:
        secret = KeyStore(guarded.state_dir / "keys.json").fleet_secret()
        url = guarded.url("plain", f"camfleet:{secret}@").replace("rtsp:", "rtsps:")
        read_until_served(url)
        assert follows(ffmpeg_numbers(url, "-rtsp_transport", "tcp"))
        source = ("rtspsrc", f"location={guarded.url('plain').replace('rtsp:', 'rtsps:')}")
        login = ("user-id=camfleet", f"user-pw={secret}", "tls-validation-flags=0")
        assert follows(gst_numbers(*source, *login, "protocols=tcp+tls", "latency=300"))


def read_until_served(url: str) -> None:
    """Wait until a stream is there whose state is not to be asked for."""

    def served() -> bool:
        try:
            with av.open(url, options={"rtsp_transport": "tcp"}, timeout=(60, 60)):
                return True
        except av.error.FFmpegError:
            return False

    wait_until(served, 60, "the camera")


@pytest.mark.parametrize("login", [(), ("DIGEST", "pusher", "pa:ss"), ("BASIC", "pusher", "pa:ss")])
def test_gstreamers_server_takes_the_stream_with_the_cameras_times(
    tmp_path: Path, login: tuple[str, ...], clip: Path
) -> None:
    with gst_recorder("h264", *login) as recorder:
        user = "${env:PUSH}@" if login else ""
        file = tmp_path / "cameras.yaml"
        file.write_text(publishing_lines(clip, f"rtsp://{user}127.0.0.1:{recorder.port}/in"))
        with capture_running(file, environment=LOGIN) as capture:
            published(capture, "PUBLISHING")
            wait_until(lambda: len(recorder.times_ns) > 40, 60, "40 pictures")
            assert capture.state("door")["readers"] == 1
    times = recorder.times_ns[5:35]  # its jitter buffer bends them a little by their arrival
    assert all(b > a for a, b in pairwise(times))
    assert (times[-1] - times[0]) / 1e9 == pytest.approx((len(times) - 1) / FPS, abs=0.5)


@pytest.mark.parametrize("encoding", ["h265", "mjpeg"])
def test_gstreamers_server_takes_what_the_camera_sends(tmp_path: Path, encoding: str) -> None:
    if encoding == "h265":
        source = write_clip(tmp_path / "clip.mp4", codec="libx265")
    else:
        source = write_webcam_clip(tmp_path / "clip.avi")
    with gst_recorder(encoding) as recorder:
        file = tmp_path / "cameras.yaml"
        file.write_text(publishing_lines(source, f"rtsp://127.0.0.1:{recorder.port}/in"))
        with capture_running(file):
            wait_until(lambda: len(recorder.times_ns) > 20, 60, "20 pictures")


def test_stream_is_pushed_again_when_gstreamers_server_comes_back(
    tmp_path: Path, clip: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    with gst_recorder("h264") as first:
        file.write_text(publishing_lines(clip, f"rtsp://127.0.0.1:{first.port}/in"))
    with capture_running(file) as capture:
        assert "connection refused" in published(capture, "CONNECTING")["reason"]
        with gst_recorder("h264", port=first.port) as again:
            published(capture, "PUBLISHING")
            wait_until(lambda: len(again.times_ns) > 5, 60, "pictures")
        published(capture, "CONNECTING")
        assert read_numbers(capture.url("door"), 3).numbers
