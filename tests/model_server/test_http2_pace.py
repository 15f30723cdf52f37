"""Work and waiting of a connection's answers are told apart, by clocks of the test."""

from collections.abc import Callable

import pytest

from camfleet_server.transports.http2 import pace
from camfleet_server.transports.http2.pace import Pace


class Clock:
    """Stands for `time`: answers take what they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.worked_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    def thread_time(self) -> float:
        return self.worked_s

    def answer(self, took_s: float, worked_s: float) -> Callable[[], None]:
        def pass_time() -> None:
            self.now_s += took_s
            self.worked_s += worked_s

        return pass_time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    monkeypatch.setattr(pace, "_COUNTED", 4)
    monkeypatch.setattr(pace, "_SAMPLED", 2)
    monkeypatch.setattr(pace, "_TINY_S", 0.0002)
    monkeypatch.setattr(pace, "_PROMPT_S", 0.002)
    return made


def test_what_keeps_its_neighbours_waiting_is_not_tiny_again_soon(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_DISTRUSTED", 20)
    watched = Pace()
    watched.distrust()
    tiny = []
    for _ in range(24):
        watched.time(clock.answer(0.0001, 0.0001))
        tiny.append(watched.is_tiny)
    assert tiny == [False] * 19 + [True] * 5


@pytest.mark.parametrize(
    ("took_s", "worked_s", "is_tiny", "is_prompt"),
    [
        pytest.param(0.0001, 0.0001, True, True, id="tiny"),
        pytest.param(0.006, 0.0001, True, False, id="waits for long"),
        pytest.param(0.0003, 0.0001, True, False, id="waits for a device"),
        pytest.param(0.0003, 0.0003, False, False, id="work"),
    ],
)
def test_work_and_waiting_are_told_apart(
    clock: Clock, took_s: float, worked_s: float, is_tiny: bool, is_prompt: bool
) -> None:
    watched = Pace()
    for _ in range(4):
        watched.time(clock.answer(took_s, worked_s))
    assert (watched.is_tiny, watched.is_prompt) == (is_tiny, is_prompt)
