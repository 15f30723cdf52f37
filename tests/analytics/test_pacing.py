"""Which frames a pipeline looks at."""

import random
from collections.abc import Iterable

import pytest

from camfleet.service.pacing import Pacer
from camfleet.video.frames import Frame
from fakes_analytics import frame


def stream(fps: float, seconds: float, begins_s: float = 0.0, jitter_s: float = 0.0) -> list[Frame]:
    """Frames as a camera sends them, their times a little off where it is told."""
    chance = random.Random(3)
    times = (begins_s + number / fps for number in range(round(seconds * fps)))
    return [
        frame(number, pts_s + chance.uniform(-jitter_s, jitter_s))
        for number, pts_s in enumerate(times)
    ]


def chosen(rate: float, frames: Iterable[Frame]) -> list[int]:
    pacer = Pacer(rate)
    return [one.number for one in frames if pacer.is_due(one)]


@pytest.mark.parametrize(
    ("fps", "rate", "expected"),
    [
        (15, 5, 50),
        (30, 5, 50),
        (25, 10, 100),
        (15, 10, 100),
        (12.5, 5, 50),
        (15, 7, 70),
        (3, 5, 30),
    ],
)
def test_so_many_are_looked_at_as_were_asked_for_or_came(
    fps: float, rate: float, expected: int
) -> None:
    assert len(chosen(rate, stream(fps, 10))) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("jitter_s", [0.0, 0.00002, 0.02], ids=["exact", "rounded", "uneven"])
@pytest.mark.parametrize("rate", [5, 10, 15])
def test_who_comes_later_chooses_the_same_frames(rate: float, jitter_s: float) -> None:
    frames = stream(15, 20, begins_s=0.013, jitter_s=jitter_s)
    first, later = chosen(rate, frames), chosen(rate, frames[101:])
    assert later[2:] == [number for number in first if number >= later[2]]


@pytest.mark.parametrize(("fps", "slow", "fast"), [(15, 5, 10), (30, 5, 15), (25, 5, 10)])
def test_what_a_slow_one_looks_at_a_quicker_one_looks_at_too(
    fps: float, slow: float, fast: float
) -> None:
    frames = stream(fps, 20, begins_s=0.4, jitter_s=0.004)
    assert set(chosen(slow, frames[7:])[1:]) <= set(chosen(fast, frames))


@pytest.mark.parametrize("begins_s", [n / 150 for n in range(10)])
def test_a_rate_like_the_cameras_own_takes_all_frames_but_one_whatever_its_clock_began_with(
    begins_s: float,
) -> None:
    frames = stream(15, 20, begins_s=begins_s, jitter_s=0.01)
    assert len(chosen(15, frames)) >= len(frames) - 1


def test_frames_lost_on_the_way_are_not_made_up_for() -> None:
    frames = stream(15, 20)
    assert chosen(5, [*frames[:30], *frames[75:90]]) == [*range(0, 30, 3), *range(75, 90, 3)]


def test_a_new_connection_begins_at_once() -> None:
    frames = [*(frame(n, n / 15) for n in range(4)), *(frame(n, 0.1, 2) for n in range(4, 6))]
    assert chosen(5, frames) == [0, 3, 4]
