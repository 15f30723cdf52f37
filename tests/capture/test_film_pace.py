"""Pictures of a film come one by one at their times, though several are read together."""

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.sources.video_file import VideoFile
from fakes_capture import FPS, LENGTH


class HeldUp:
    """A `Stop` that nobody says; the wait before one picture takes longer than was asked."""

    def __init__(self, at: int, for_s: float) -> None:
        self._waits, self._at, self._for_s = 0, at, for_s
        self._never = threading.Event()

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None, /) -> bool:
        self._waits += 1
        return self._never.wait((timeout or 0.0) + (self._for_s if self._waits == self._at else 0))


def come(film: Path, count: int, stop: HeldUp | threading.Event) -> list[tuple[AccessUnit, float]]:
    """Return the first pictures of a film, each with how long after its time it came."""
    source, pictures = VideoFile(film), []
    for unit in source.units(stop):
        pictures.append((unit, time.monotonic() - unit.shown_at))
        if len(pictures) == count:
            break
    source.close()
    return pictures


def test_no_picture_of_a_film_comes_before_its_time(clip: Path) -> None:
    late_s = [late for _, late in come(clip, LENGTH + 20, threading.Event())]
    assert min(late_s) >= 0


def test_pictures_that_are_decoded_out_of_order_come_before_they_show(b_clip: Path) -> None:
    late_s = [late for _, late in come(b_clip, 20, threading.Event())]
    assert min(late_s) > -4 / FPS


def test_time_goes_on_after_a_film_was_held_up(clip: Path) -> None:
    pictures = come(clip, 40, HeldUp(at=12, for_s=3.0))
    steps = [(later.ticks - unit.ticks) / CLOCK_HZ for (unit, _), (later, _) in pairwise(pictures)]
    assert min(steps) == pytest.approx(1 / FPS, abs=1e-4)  # nothing is rushed
    assert max(steps) > 2.5
    assert pictures[-1][1] < 2.5
