from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from fakes_capture import (
    FPS,
    LENGTH,
    RunningCapture,
    camera_lines,
    capture_running,
    number_of,
    read_numbers,
    reading_options,
    write_clip,
    write_webcam_clip,
)
from fakes_rtsp import Client
from waiting import wait_until

HELD_UP_S = 1.0  # then capture moves the film's schedule; nothing is rushed


@pytest.fixture(scope="module")
def capture(
    tmp_path_factory: pytest.TempPathFactory, clip: Path, b_clip: Path
) -> Iterator[RunningCapture]:
    file = tmp_path_factory.mktemp("readers") / "cameras.yaml"
    file.write_text(camera_lines(plain=str(clip), b=str(b_clip)))
    with capture_running(file) as running:
        for name in ("plain", "b"):
            running.wait_for(name, "LIVE")
        yield running


def follows(numbers: list[int]) -> bool:
    return all(b == (a + 1) % LENGTH for a, b in pairwise(numbers))


def keep_time(times_s: list[float], tolerance_s: float) -> bool:
    """Tell whether pictures are as far apart as in the film, or it was held up over a second.

    On a machine that gave the service no processor for so long, the rest of the film is late.
    """
    steps = [after - before for before, after in pairwise(times_s)]
    return all(abs(step - 1 / FPS) < tolerance_s or step > HELD_UP_S for step in steps)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("agent", ["test", "camfleet-analytics"])
@pytest.mark.parametrize("name", ["plain", "b"])
def test_reader_gets_every_picture_in_order_over_the_loop(
    capture: RunningCapture, transport: str, agent: str, name: str
) -> None:
    seen = read_numbers(capture.url(name), LENGTH + 10, transport, agent)
    assert follows(seen.numbers)
    assert keep_time(seen.times_s, 0.002)


FORMATS: dict[str, tuple[str, dict[str, Any], str]] = {
    "matroska": ("mkv", {}, "h264"),
    "mpeg-ts": ("ts", {"b_frames": 2}, "h264"),
    "two-slices": ("mp4", {"slices": 2}, "h264"),
    "h264-422": ("mp4", {"pix_fmt": "yuv422p", "b_frames": 2, "slices": 2}, "h264"),
    "h264-444": ("mp4", {"pix_fmt": "yuv444p"}, "h264"),
    "h265": ("mp4", {"codec": "libx265"}, "h265"),
    "h265-b": ("mkv", {"codec": "libx265", "b_frames": 2, "slices": 2}, "h265"),
    "h265-422": ("mp4", {"codec": "libx265", "pix_fmt": "yuv422p10le"}, "h265"),
    "mjpeg-420": ("avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, "mjpeg"),
    "mjpeg-422": ("mkv", {"codec": "mjpeg", "pix_fmt": "yuvj422p"}, "mjpeg to h264"),
    "mjpeg-444": ("avi", {"codec": "mjpeg", "pix_fmt": "yuvj444p"}, "mjpeg to h264"),
    "mjpeg-codes": (
        "avi",
        {"codec": "mjpeg", "pix_fmt": "yuvj420p", "huffman": "optimal"},
        "mjpeg to h264",
    ),
    "mpeg4": ("avi", {"codec": "mpeg4"}, "mpeg4 to h264"),
}


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCapture]:
    folder = tmp_path_factory.mktemp("formats")
    clips = {
        name: str(write_clip(folder / f"{name}.{suffix}", **settings))
        for name, (suffix, settings, _) in FORMATS.items()
    }
    clips["webcam"] = str(write_webcam_clip(folder / "webcam.avi"))
    (folder / "cameras.yaml").write_text(camera_lines(**clips))
    with capture_running(folder / "cameras.yaml") as running:
        yield running


@pytest.mark.parametrize(("transport", "agent"), [("tcp", "test"), ("udp", "camfleet")])
@pytest.mark.parametrize("name", [*FORMATS, "webcam"])
def test_every_format_plays_over_the_loop_without_a_wrong_picture(
    formats: RunningCapture, name: str, transport: str, agent: str
) -> None:
    formats.wait_for(name, "LIVE")
    seen = read_numbers(formats.url(name), LENGTH + 5, transport, agent)
    assert follows(seen.numbers)
    assert keep_time(seen.times_s, 0.005)
    assert formats.state(name)["codec"] == (FORMATS[name][2] if name in FORMATS else "mjpeg")
    assert formats.get(f"/cameras/{name}/snapshot.jpg").status_code == 200


def test_camera_that_changes_its_codec_hangs_up_and_plays_on_anew(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mkv", pictures=10, group=5)
    other = write_clip(tmp_path / "other.mkv", codec="libx265")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(source)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        with av.open(capture.url("one"), options=reading_options(), timeout=(60, 60)) as reader:
            other.rename(source)
            assert len(list(reader.demux(video=0))) > 0  # ends by itself
        assert capture.state("one")["codec"] == "h265"
        assert follows(read_numbers(capture.url("one"), 10).numbers)


def test_opencv_reads_the_first_camera_at_server(capture: RunningCapture) -> None:
    reader = cv2.VideoCapture(capture.url("server"), cv2.CAP_FFMPEG)
    pictures = [reader.read()[0] for _ in range(10)]
    reader.release()
    assert pictures == [True] * 10


def test_new_reader_sees_a_picture_at_once_in_the_middle_of_a_long_group(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "long.mp4", pictures=300, group=300)
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(source)))
    with capture_running(file) as capture:
        wait_until(lambda: capture.state("one")["frames"] > 20, 60, "20 pictures")
        seen = read_numbers(capture.url("one"), 1)
    assert seen.numbers == [0]


def test_several_readers_see_the_same_and_are_counted(capture: RunningCapture) -> None:
    wait_until(lambda: capture.state("plain")["readers"] == 0, 60, "no reader before")
    readers = [
        av.open(capture.url("plain"), options=reading_options(transport), timeout=(60, 60))
        for transport in ("tcp", "udp", "tcp", "udp")
    ]
    wait_until(lambda: capture.state("plain")["readers"] == 4, 60, "4 readers")
    numbers = [[number_of(next(r.decode(video=0))) for _ in range(10)] for r in readers]
    for reader in readers:
        reader.close()
    wait_until(lambda: capture.state("plain")["readers"] == 0, 60, "no reader after")
    assert all(follows(seen) for seen in numbers)


def test_reader_that_plays_a_camera_removed_since_its_set_up_is_told_so(
    tmp_path: Path, clip: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(goes=str(clip)))
    with capture_running(file) as capture, Client(capture.rtsp_port) as client:
        capture.wait_for("goes", "LIVE")
        url, transport = capture.url("goes"), "RTP/AVP/TCP;unicast;interleaved=0-1"
        code, headers = client.ask("SETUP", f"{url}/trackID=0", Transport=transport)
        assert code == 200
        file.write_text(camera_lines())
        wait_until(lambda: capture.get("/cameras/goes").status_code == 404, 60, "it goes")
        session = headers["session"].partition(";")[0]
        assert client.ask("PLAY", url, Session=session)[0] == 404


def test_removed_camera_ends_its_readers_and_no_other(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(stays=str(clip), goes=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("goes", "LIVE")
        options = reading_options()
        with (
            av.open(capture.url("goes"), options=options, timeout=(60, 60)) as goes,
            av.open(capture.url("stays"), options=options, timeout=(60, 60)) as stays,
        ):
            file.write_text(camera_lines(stays=str(clip)))
            assert len(list(goes.demux(video=0))) > 0  # ends by itself
            assert next(stays.decode(video=0)) is not None
        assert capture.state("stays")["reconnects"] == 0
