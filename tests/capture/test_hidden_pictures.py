"""Films whose edit list cuts off pictures in front, as phones do when a film is trimmed."""

import itertools
import threading
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camfleet_capture.access_unit import CLOCK_HZ
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.sources.video_file import VideoFile
from fakes_capture import FPS, write_clip

HIDDEN, GROUP = 5, 15


@pytest.fixture
def trimmed(tmp_path: Path) -> Path:
    """Begins with picture 20; the five since the key picture before it are there, and hidden."""
    whole, trimmed = write_clip(tmp_path / "whole.mp4", pictures=60), tmp_path / "trimmed.mp4"
    options = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    with av.open(str(whole)) as film, av.open(str(trimmed), "w", options=options) as cut:
        stream = cut.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.pts is not None and packet.dts is not None and packet.time_base:
                shift = int((GROUP + HIDDEN) / FPS / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = stream
                cut.mux(packet)
    return trimmed


def first_times_s(film: Path, alteration: Alteration, count: int) -> list[float]:
    source = VideoFile(film, alteration, real_time=False)
    units = list(itertools.islice(source.units(threading.Event()), count))
    source.close()
    assert units[0].is_key
    return [unit.ticks / CLOCK_HZ for unit in units]


def test_hidden_pictures_of_a_copy_pass_in_no_time(trimmed: Path) -> None:
    times_s = first_times_s(trimmed, NOTHING, HIDDEN + 10)
    steps = [after - before for before, after in pairwise(times_s)]
    assert all(0 < step < 0.001 for step in steps[:HIDDEN])
    assert all(abs(step - 1 / FPS) < 0.001 for step in steps[HIDDEN:])


def test_hidden_pictures_are_not_encoded(trimmed: Path) -> None:
    times_s = first_times_s(trimmed, Alteration(quarter_turns=1), 10)
    assert all(abs(b - a - 1 / FPS) < 0.001 for a, b in pairwise(times_s))
