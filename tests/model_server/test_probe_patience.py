"""A probe on a machine without a free core is not taken for one that hangs."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from camfleet_server.reload.probe_patience import has_answer_within, waited_for_core_s
from waiting import wait_until

SPIN = "import os; os.sched_setaffinity(0, {CORE}); print(flush=True)\nwhile True: pass"


class Clock:
    """Every look at it takes a tenth of a second; so much of it as `starved` for want of a core."""

    def __init__(self, starved: float) -> None:
        self.now_s, self._starved = 0.0, starved

    def __call__(self) -> float:
        self.now_s += 0.1
        return self.now_s

    def waited_s(self) -> float:
        return self.now_s * self._starved


@pytest.mark.parametrize(("starved", "patience_s"), [(0.0, 1.0), (0.5, 2.0), (0.9, 10.0)], ids=str)
def test_time_without_a_core_does_not_count(
    starved: float, patience_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = multiprocessing.Pipe()
    clock = Clock(starved)
    monkeypatch.setattr(ours, "poll", lambda _: False)
    with ours, theirs:
        assert not has_answer_within(1.0, ours, clock.waited_s, clock)
    assert clock.now_s == pytest.approx(patience_s, rel=0.15, abs=0.25)


def test_an_answer_is_seen_at_once() -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        theirs.send("well")
        assert has_answer_within(60, ours, lambda: 0.0)


def test_a_process_that_shares_its_core_has_waited_for_it() -> None:
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, "-c", SPIN.replace("CORE", str(core))]
    with _spinning(command) as first, _spinning(command) as second:
        wait_until(lambda: waited_for_core_s(first.pid) > 0.05, 60, "the first one to be kept")
        wait_until(lambda: waited_for_core_s(second.pid) > 0.05, 60, "the second one to be kept")


@contextmanager
def _spinning(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_what_the_kernel_does_not_count_is_nothing(tmp_path: Path) -> None:
    thread = tmp_path / "7" / "task" / "7"
    thread.mkdir(parents=True)
    assert waited_for_core_s(7, tmp_path) == 0
    (thread / "schedstat").write_text("nonsense")
    assert waited_for_core_s(7, tmp_path) == 0
    (thread / "schedstat").write_text("5 2500000000 9\n")
    assert waited_for_core_s(7, tmp_path) == 2.5
