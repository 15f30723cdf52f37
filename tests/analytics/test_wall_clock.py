"""The time of capture while the sender's clock, or ours, is set to another time."""

import struct
from datetime import UTC, datetime, timedelta

import pytest

from camfleet.video.wall_clock import WallClock

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Report:
    """A packet that carries the sender's time."""

    def __init__(self, microseconds: int) -> None:
        self._data = struct.pack("<qi", microseconds, 0)

    def has_sidedata(self, kind: str) -> bool:
        return kind == "prft"

    def get_sidedata(self, kind: str) -> bytes:
        return self._data


def told(*reports: tuple[int, float]) -> WallClock:
    clock = WallClock()
    for microseconds, pts_s in reports:
        clock.read(Report(microseconds), pts_s)  # type: ignore[arg-type]  # all it asks of a packet
    return clock


def at(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)


def test_sender_tells_the_time_of_capture() -> None:
    clock = told((at(NOON), 100.0))
    assert clock.captured_at(101.0, NOON + timedelta(seconds=3)) == NOON + timedelta(seconds=1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_while_a_clock_is_an_hour_off_the_time_of_receipt_counts(jump: timedelta) -> None:
    clock = told((at(NOON), 100.0), (at(NOON + jump), 105.0))
    received_at = NOON + timedelta(seconds=6)
    assert clock.captured_at(106.0, received_at) == received_at
    clock.read(Report(at(NOON) + 10_000_000), 110.0)  # type: ignore[arg-type]  # set right again
    assert clock.captured_at(111.0, NOON + timedelta(seconds=12)) == NOON + timedelta(seconds=11)


@pytest.mark.parametrize("microseconds", [2**63 - 1, -(2**63), 10**18])
def test_report_that_is_no_time_is_left_out(microseconds: int) -> None:
    assert told((microseconds, 0.0)).captured_at(1.0, NOON) == NOON
