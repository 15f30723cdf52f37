"""Sources over HTTP that give pictures in bursts, in advance, or seldom."""

import threading
import time
from itertools import islice
from pathlib import Path

import av
import pytest

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.coding.decoding import open_decoder
from camfleet_capture.sources.clock import PullPacer
from camfleet_capture.sources.live import LiveSource, open_network
from fakes_capture import number_of, write_clip
from fakes_http import SEGMENT_S, file_server
from fakes_mjpeg import mjpeg_camera

FPS = 6


def read(source: LiveSource, count: int) -> tuple[list[AccessUnit], list[float]]:
    """The first units, and when they came."""
    units, times = [], []
    for unit in islice(source.units(threading.Event()), count):
        units.append(unit)
        times.append(time.monotonic())
    source.close()
    return units, times


def numbers_of(units: list[AccessUnit]) -> list[int]:
    decoder = open_decoder(units[0].codec)
    packets = [*(av.Packet(unit.coded()) for unit in units), None]
    return [number_of(frame) for packet in packets for frame in decoder.decode(packet)]


def test_segments_of_hls_are_shown_picture_by_picture_until_the_next_one_is_there(
    tmp_path: Path,
) -> None:
    group = FPS * SEGMENT_S
    write_clip(tmp_path / "film.m3u8", pictures=2 * group, fps=FPS, group=group)
    with file_server(tmp_path) as server:
        units, times = read(open_network(f"{server.url}/live.m3u8"), group + 2)
    assert numbers_of(units) == list(range(group + 2))
    assert times[group - 1] - times[0] == pytest.approx(SEGMENT_S, abs=1)


def test_a_whole_file_of_a_server_is_shown_at_its_own_pace(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.ts", pictures=2 * FPS, fps=FPS)
    with file_server(tmp_path) as server:
        units, times = read(open_network(f"{server.url}/clip.ts"), 2 * FPS)
    assert numbers_of(units) == list(range(2 * FPS))
    assert times[-1] - times[0] == pytest.approx(2, abs=1)


def test_mjpeg_camera_may_leave_three_seconds_between_its_pictures(tmp_path: Path) -> None:
    picture = write_clip(tmp_path / "one.jpg", pictures=1, codec="mjpeg", pix_fmt="yuvj420p")
    with mjpeg_camera(interval_s=3) as camera:
        camera.pictures = [picture.read_bytes() + bytes(4000)]  # libav decides after 2 KB
        units, _ = read(open_network(camera.url), 3)
    assert len(units) == 3


@pytest.mark.parametrize("name", ["picture", "picture.jpg", "picture.jpg?a=%2d"])
def test_an_address_of_one_picture_is_asked_for_the_next_one_every_second(name: str) -> None:
    with mjpeg_camera() as camera:
        source = open_network(camera.url.replace("video", name))
        units, times = read(source, 3)
    shown = numbers_of(units)
    assert source.details.codec == "mjpeg"
    assert shown[0] < shown[1] < shown[2]
    assert times[-1] - times[0] == pytest.approx(2, abs=1)


@pytest.mark.parametrize("jump_s", [-5.0, 3600.0], ids=["back", "forward"])
def test_a_jump_of_the_time_stamps_is_not_waited_for(jump_s: float) -> None:
    pacer, begun = PullPacer(threading.Event()), time.monotonic()
    assert all(pacer.wait(time_s) for time_s in (100.0, 100.1, 100.2 + jump_s, 100.3 + jump_s))
    assert time.monotonic() - begun < 3
