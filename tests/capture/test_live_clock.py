"""Times of live pictures, whatever the source stamps on them; time is an argument here."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from camfleet_capture.access_unit import CLOCK_HZ
from camfleet_capture.sources.clock import LiveClock

FPS = 25
Stamp = Callable[[int], float]


def placed(stamp: Stamp, pictures: int = 2000, fps: float = FPS) -> list[tuple[float, float]]:
    """Return where pictures are placed in seconds, and how far off the moment shown is."""
    clock, places = LiveClock(), []
    for number in range(pictures):
        arrived = 1000 + number / fps
        ticks, shown_at = clock.place(stamp(number), arrived)
        places.append((ticks / CLOCK_HZ, shown_at - arrived))
    return places


def steps(places: list[tuple[float, float]]) -> list[float]:
    return [after - before for (before, _), (after, _) in pairwise(places)]


@pytest.mark.parametrize(
    ("stamp", "fps"),
    [
        pytest.param(lambda n: n / 25, 21, id="25 a second declared, 21 sent"),
        pytest.param(lambda n: n / 25, 24, id="25 a second declared, 24 sent"),
        pytest.param(lambda n: n / 25 / 0.9, 25, id="a clock of 100 kHz"),
        pytest.param(lambda n: n / 50, 25, id="half as fast"),
        pytest.param(lambda n: n * 40 / CLOCK_HZ, 25, id="milliseconds"),
    ],
)
def test_a_clock_of_another_rate_is_stretched_to_the_true_one(stamp: Stamp, fps: float) -> None:
    places = placed(stamp, fps=fps)
    later = places[1000:]
    assert max(abs(step - 1 / fps) for step in steps(later)) < 0.001
    assert max(abs(off) for _, off in later) < 0.3
    assert min(steps(places)) > 0


@pytest.mark.parametrize(
    "stamp",
    [
        pytest.param(lambda _: 5, id="the same for ever"),
        pytest.param(lambda n: n / FPS + (n % 50 == 7) * 37_600, id="one of 50 hours ahead"),
        pytest.param(lambda n: n / FPS - (n % 50 == 7) * 9_800, id="one of 50 hours behind"),
    ],
)
def test_useless_stamps_give_way_to_arrivals(stamp: Stamp) -> None:
    places = placed(stamp)
    assert min(steps(places)) >= 0
    assert max(abs(step - 1 / FPS) for step in steps(places[1000:])) < 0.001
    assert max(abs(off) for _, off in places[1000:]) < 0.001


def test_pictures_that_are_held_up_again_and_again_keep_their_distances() -> None:
    clock, showing_s = LiveClock(), [number / FPS for number in range(2000)]
    arrivals = [1000 + max(at, at // 6 * 6 + 3) for at in showing_s]  # of 6 s, 3 bring nothing
    places = [clock.place(*times)[0] / CLOCK_HZ for times in zip(showing_s, arrivals, strict=True)]
    assert max(abs(after - before - 1 / FPS) for before, after in pairwise(places)) < 0.001


def test_time_never_runs_back_where_stamps_begin_anew_or_pictures_come_all_at_once() -> None:
    clock = LiveClock()
    at_once = [clock.place(number, 1000.0) for number in range(6)]  # a second apart, by the stamps
    anew = [clock.place(number / FPS, 1000.1 + number / FPS) for number in range(100)]
    ticks = [ticks for ticks, _ in at_once + anew]
    assert all(before < after for before, after in pairwise(ticks))
    assert all(abs(shown - 1000.1 - n / FPS) < 0.001 for n, (_, shown) in enumerate(anew[2:], 2))


def test_delay_that_grows_for_a_while_does_not_change_the_distances_for_good() -> None:
    clock, showing_s = LiveClock(), np.arange(2000) / FPS
    arrivals = 1000 + showing_s + np.interp(showing_s, [30, 40, 41], [0, 1, 0])
    places = [clock.place(*times) for times in zip(showing_s, arrivals, strict=True)]
    times_s = [ticks / CLOCK_HZ for ticks, _ in places]
    assert max(abs(after - before - 1 / FPS) for before, after in pairwise(times_s)) < 0.005
    assert abs(places[-1][1] - arrivals[-1]) < 0.01
