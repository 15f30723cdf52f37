"""Turns: bounded, by priority, within deadlines, the newest request of a stream first."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from camfleet_server.errors import DeadlineExceeded, QueueFull, Superseded
from camfleet_server.serving.scheduler import Scheduler, SchedulerClosed
from camfleet_server.types import InferRequest
from waiting import wait_until


class Clock:
    """Time that only tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def _request(**fields: Any) -> InferRequest:
    return InferRequest("model", {}, **fields)


class Occupied:
    """A scheduler with one slot, which is taken until `leave` is called."""

    def __init__(self, threads: ThreadPoolExecutor, queue_limit: int = 8) -> None:
        self.clock = Clock()
        self.scheduler = Scheduler("model", 1, queue_limit, self.clock)
        self.served: list[str] = []
        self._threads = threads
        self._may_leave = threading.Event()
        self._holder = threads.submit(self._hold)
        wait_until(lambda: self.scheduler.running == 1, 5, "the slot to be taken")

    def _hold(self) -> None:
        with self.scheduler.turn(_request()):
            self._may_leave.wait(10)

    def enqueue(self, name: str, **fields: Any) -> Future[None]:
        before = self.scheduler.waiting
        ticket = self._threads.submit(self._serve, name, _request(**fields))
        wait_until(lambda: self.scheduler.waiting > before or ticket.done(), 5, "the queue")
        return ticket

    def _serve(self, name: str, request: InferRequest) -> None:
        with self.scheduler.turn(request):
            self.served.append(name)

    def leave(self) -> None:
        self._may_leave.set()
        self._holder.result(5)


def test_full_queue_refuses_at_once(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads, queue_limit=1)
    waiting = occupied.enqueue("first")
    with pytest.raises(QueueFull, match="waiting: 1"):
        occupied.enqueue("second").result(5)
    occupied.leave()
    waiting.result(5)
    assert occupied.served == ["first"]


def test_higher_priority_goes_first_then_arrival_decides(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    tickets = [occupied.enqueue("plain"), occupied.enqueue("second", priority=2)]
    tickets += [occupied.enqueue("first", priority=1), occupied.enqueue("later", priority=2)]
    occupied.leave()
    for ticket in tickets:
        ticket.result(5)
    assert occupied.served == ["first", "second", "later", "plain"]


def test_request_whose_deadline_passed_while_waiting_gets_no_turn(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    late = occupied.enqueue("late", deadline=occupied.clock.now + 60)
    occupied.clock.now += 61
    occupied.leave()
    with pytest.raises(DeadlineExceeded):
        late.result(5)
    assert occupied.served == []
    assert occupied.scheduler.running == 0


def test_waiting_ends_at_the_deadline(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    with pytest.raises(DeadlineExceeded):
        occupied.enqueue("late", deadline=occupied.clock.now + 0.05).result(5)
    assert occupied.scheduler.waiting == 0
    occupied.leave()


def test_expired_request_is_refused_before_it_waits() -> None:
    clock = Clock()
    scheduler = Scheduler("model", 1, 8, clock)
    with pytest.raises(DeadlineExceeded), scheduler.turn(_request(deadline=clock.now - 1)):
        pytest.fail("an expired request got a turn")


def test_newer_request_of_a_stream_takes_the_place_of_the_waiting_one(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    older = occupied.enqueue("older", stream_id="door")
    other = occupied.enqueue("other", stream_id="gate")
    newer = threads.submit(occupied._serve, "newer", _request(stream_id="door"))
    with pytest.raises(Superseded, match="door"):
        older.result(5)
    occupied.leave()
    other.result(5)
    newer.result(5)
    assert occupied.served == ["other", "newer"]


def test_closed_scheduler_admits_nobody_and_drains_those_that_wait(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    waiting = occupied.enqueue("waiting")
    drained = threading.Event()
    occupied.scheduler.close(drained.set)
    with pytest.raises(SchedulerClosed):
        occupied.enqueue("too late").result(5)
    assert not drained.is_set()
    occupied.leave()
    waiting.result(5)
    assert drained.wait(5)


def test_idle_scheduler_is_drained_when_it_closes() -> None:
    drained = threading.Event()
    Scheduler("model", 2, 8).close(drained.set)
    assert drained.is_set()


def test_turn_is_given_back_when_the_block_fails() -> None:
    scheduler = Scheduler("model", 1, 8)
    with pytest.raises(ZeroDivisionError), scheduler.turn(_request()):
        raise ZeroDivisionError
    assert scheduler.running == 0
