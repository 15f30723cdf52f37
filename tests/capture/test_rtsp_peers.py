"""Other people's RTSP programs of the system: each test skips by name where they are missing."""

from itertools import pairwise
from pathlib import Path

import pytest

from fakes_capture import (
    FPS,
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
            wait_until(lambda: len(recorder.times_ns) > 40, 30, "40 pictures")
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
            wait_until(lambda: len(recorder.times_ns) > 20, 30, "20 pictures")


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
            wait_until(lambda: len(again.times_ns) > 5, 30, "pictures")
        published(capture, "CONNECTING")
        assert read_numbers(capture.url("door"), 3).numbers
