"""Pictures that are made here stay true to the clock, however slowly they are made."""

import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

import av
import pytest

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.sources.rendered import show_paced

RATE = 20.0


@dataclass
class Show:
    """What show_paced asked for and gave."""

    asked_s: list[float] = field(default_factory=list)
    units: list[AccessUnit] = field(default_factory=list)


def shown(making_s: list[float]) -> Show:
    """Show as many pictures as there are times of making one."""
    show, stop, pause = Show(), threading.Event(), threading.Event()

    def render(time_s: float) -> av.VideoFrame:
        pause.wait(making_s[len(show.asked_s)])
        show.asked_s.append(time_s)
        return av.VideoFrame(64, 48, "yuv420p")

    for unit in show_paced(render, RATE, time.monotonic(), stop):
        show.units.append(unit)
        if len(show.units) == len(making_s):
            stop.set()
    return show


@pytest.mark.parametrize(
    "making_s",
    [
        pytest.param([0.0] * 6, id="fast enough"),
        pytest.param([0.12] * 6, id="always late"),
        pytest.param([0.0, 0.3, 0.0, 0.0, 0.0, 0.0], id="late once"),
    ],
)
def test_stamps_are_the_moments_that_the_pictures_show(making_s: list[float]) -> None:
    show = shown(making_s)
    begun = show.units[0].shown_at
    assert [unit.shown_at - begun for unit in show.units] == pytest.approx(show.asked_s)
    ticks = [unit.ticks / CLOCK_HZ - begun for unit in show.units]
    assert ticks == pytest.approx(show.asked_s, abs=1e-4)


def test_pictures_are_left_out_and_time_never_slows_when_making_them_takes_too_long() -> None:
    show = shown([0.12] * 8)
    numbers = [round(time_s * RATE) for time_s in show.asked_s]
    assert all(later - earlier >= 2 for earlier, later in pairwise(numbers))
    assert show.asked_s[-1] > 7 * 0.12 - 2 / RATE


def test_one_late_picture_costs_those_that_were_due_meanwhile() -> None:
    show = shown([0.0, 0.3, 0.0, 0.0, 0.0, 0.0])
    assert show.asked_s[2] - show.asked_s[1] > 0.3 - 1 / RATE


def test_the_next_time_that_is_told_is_never_behind_the_one_that_comes() -> None:
    units = shown([0.0, 0.12, 0.0, 0.3, 0.0, 0.12, 0.0]).units
    told = [unit.next_ticks or 0 for unit in units]
    assert all(told[n] <= units[n + 1].ticks for n in range(len(units) - 1))
    assert told[0] > units[0].ticks
