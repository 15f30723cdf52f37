"""Decode times and durations of frames of which only the show times are known."""

import pytest

from camfleet.service.live.timing import DecodeTimes, FrameInterval, ReorderWatch


@pytest.mark.parametrize(
    ("depth", "shown", "expected"),
    [
        (0, [0, 10, 20], [0, 10, 20]),
        (1, [0, 20, 10, 40, 30], [-10, 0, 10, 20, 30]),
        (2, [0, 40, 20, 10, 30], [-20, -10, 0, 10, 20]),
    ],
    ids=["in order", "one b-frame", "pyramid"],
)
def test_decode_times_rise_and_never_pass_show_times(
    depth: int, shown: list[int], expected: list[int]
) -> None:
    times = DecodeTimes(depth, interval=10)
    assert [times.next(show_time) for show_time in shown] == expected


def test_decode_times_rise_even_when_show_times_do_not() -> None:
    times = DecodeTimes(0, interval=10)
    assert [times.next(show_time) for show_time in (0, 30, 10, 40)] == [0, 30, 31, 40]


def test_promised_duration_covers_twice_the_longest_recent_gap() -> None:
    interval = FrameInterval(nominal=10)
    for decode_time in (0, 10, 45, 55):
        interval.saw(decode_time)
    assert interval.promised_duration == 70


@pytest.mark.parametrize(
    ("shown", "depth"), [([0, 1, 2], 0), ([0, 2, 1, 4, 3], 1), ([0, 4, 2, 1, 3], 2)]
)
def test_reordering_is_seen(shown: list[int], depth: int) -> None:
    watch = ReorderWatch()
    for show_time in shown:
        watch.saw(show_time)
    assert watch.depth == depth
