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
)
from waiting import wait_until


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


def steps(times_s: list[float]) -> list[float]:
    return [round(b - a, 3) for a, b in pairwise(times_s)]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("agent", ["test", "camfleet-analytics"])
@pytest.mark.parametrize("name", ["plain", "b"])
def test_reader_gets_every_picture_in_order_over_the_loop(
    capture: RunningCapture, transport: str, agent: str, name: str
) -> None:
    seen = read_numbers(capture.url(name), LENGTH + 10, transport, agent)
    assert follows(seen.numbers)
    assert max(abs(step - 1 / FPS) for step in steps(seen.times_s)) < 0.002


@pytest.mark.parametrize(
    ("suffix", "settings"),
    [
        pytest.param("mkv", {}, id="matroska"),
        pytest.param("ts", {}, id="mpeg-ts"),
        pytest.param("mp4", {"slices": 2}, id="two slices"),
        pytest.param("mp4", {"pix_fmt": "yuv422p"}, id="4:2:2"),
        pytest.param("mp4", {"pix_fmt": "yuv444p", "b_frames": 2}, id="4:4:4 with B pictures"),
        pytest.param("avi", {"codec": "mjpeg", "pix_fmt": "yuvj422p"}, id="mjpeg"),
        pytest.param("mp4", {"codec": "libx265"}, id="h265"),
    ],
)
def test_every_format_of_file_plays_without_a_wrong_picture(
    tmp_path: Path, suffix: str, settings: dict[str, Any]
) -> None:
    source = write_clip(tmp_path / f"clip.{suffix}", **settings)
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(source)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        seen = read_numbers(capture.url("one"), 20)
    assert follows(seen.numbers)


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
        wait_until(lambda: capture.state("one")["frames"] > 20, 10, "20 pictures")
        seen = read_numbers(capture.url("one"), 1)
    assert seen.numbers == [0]


def test_several_readers_see_the_same_and_are_counted(capture: RunningCapture) -> None:
    wait_until(lambda: capture.state("plain")["readers"] == 0, 5, "no reader before")
    readers = [
        av.open(capture.url("plain"), options=reading_options(transport), timeout=(5, 5))
        for transport in ("tcp", "udp", "tcp", "udp")
    ]
    wait_until(lambda: capture.state("plain")["readers"] == 4, 5, "4 readers")
    numbers = [[number_of(next(r.decode(video=0))) for _ in range(10)] for r in readers]
    for reader in readers:
        reader.close()
    wait_until(lambda: capture.state("plain")["readers"] == 0, 5, "no reader after")
    assert all(follows(seen) for seen in numbers)


def test_removed_camera_ends_its_readers_and_no_other(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(stays=str(clip), goes=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("goes", "LIVE")
        options = reading_options()
        with (
            av.open(capture.url("goes"), options=options, timeout=(5, 5)) as goes,
            av.open(capture.url("stays"), options=options, timeout=(5, 5)) as stays,
        ):
            file.write_text(camera_lines(stays=str(clip)))
            assert len(list(goes.demux(video=0))) > 0  # ends by itself
            assert next(stays.decode(video=0)) is not None
        assert capture.state("stays")["reconnects"] == 0
