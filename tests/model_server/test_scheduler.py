"""Turns: bounded, by priority, within deadlines, the newest request of a stream first."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from camfleet_server.errors import Abandoned, DeadlineExceeded, QueueFull, Superseded
from camfleet_server.serving.scheduler import Scheduler, SchedulerClosed
from occupied_scheduler import Clock, Occupied, request_of
from waiting import wait_until


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_full_queue_refuses_at_once(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads, queue_limit=1)
    waiting = occupied.enqueue("first")
    with pytest.raises(QueueFull, match="waiting: 1"):
        occupied.enqueue("second").result(60)
    occupied.leave()
    waiting.result(60)
    assert occupied.served == ["first"]


def test_higher_priority_goes_first_then_arrival_decides(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    tickets = [occupied.enqueue("plain"), occupied.enqueue("second", priority=2)]
    tickets += [occupied.enqueue("first", priority=1), occupied.enqueue("later", priority=2)]
    occupied.leave()
    for ticket in tickets:
        ticket.result(60)
    assert occupied.served == ["first", "second", "later", "plain"]


def test_request_whose_deadline_passed_while_waiting_gets_no_turn(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    late = occupied.enqueue("late", deadline=occupied.clock.now + 60)
    occupied.clock.now += 61
    occupied.leave()
    with pytest.raises(DeadlineExceeded):
        late.result(60)
    assert occupied.served == []
    assert occupied.scheduler.running == 0


def test_waiting_ends_at_the_deadline(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    with pytest.raises(DeadlineExceeded):
        occupied.enqueue("late", deadline=occupied.clock.now + 0.05).result(60)
    assert occupied.scheduler.waiting == 0
    occupied.leave()


def test_expired_request_is_refused_before_it_waits() -> None:
    clock = Clock()
    scheduler = Scheduler("model", 1, 8, clock)
    with pytest.raises(DeadlineExceeded), scheduler.turn(request_of(deadline=clock.now - 1)):
        pytest.fail("an expired request got a turn")


def test_newer_request_of_a_stream_takes_the_place_of_the_waiting_one(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    older = occupied.enqueue("older", stream_id="door")
    other = occupied.enqueue("other", stream_id="gate")
    newer = threads.submit(occupied.serve, "newer", request_of(stream_id="door"))
    with pytest.raises(Superseded, match="door"):
        older.result(60)
    occupied.leave()
    other.result(60)
    newer.result(60)
    assert occupied.served == ["other", "newer"]


def test_closed_scheduler_admits_nobody_and_drains_those_that_wait(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    waiting = occupied.enqueue("waiting")
    drained = threading.Event()
    occupied.scheduler.close(drained.set)
    with pytest.raises(SchedulerClosed):
        occupied.enqueue("too late").result(60)
    assert not drained.is_set()
    occupied.leave()
    waiting.result(60)
    assert drained.wait(60)


def test_idle_scheduler_is_drained_when_it_closes() -> None:
    drained = threading.Event()
    Scheduler("model", 2, 8).close(drained.set)
    assert drained.is_set()


def test_turn_is_given_back_when_the_block_fails() -> None:
    scheduler = Scheduler("model", 1, 8)
    with pytest.raises(ZeroDivisionError), scheduler.turn(request_of()):
        raise ZeroDivisionError
    assert scheduler.running == 0


def test_request_whose_client_went_away_while_it_waited_gets_no_turn(
    threads: ThreadPoolExecutor,
) -> None:
    occupied = Occupied(threads)
    leaving: list[Callable[[], None]] = []

    def listen(leave: Callable[[], None]) -> bool:
        leaving.append(leave)
        return True

    abandoned = occupied.enqueue("gone", on_abandoned=listen)
    wait_until(lambda: leaving, 60, "the request to listen for its client")
    leaving[0]()
    with pytest.raises(Abandoned):
        abandoned.result(60)
    occupied.leave()
    leaving[0]()  # the end of the call tells once more
    assert occupied.served == []
    assert occupied.scheduler.running == 0


def test_request_whose_client_was_gone_already_does_not_wait(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    with pytest.raises(Abandoned):
        occupied.enqueue("gone", on_abandoned=lambda _: False).result(60)
    assert occupied.scheduler.waiting == 0
    occupied.leave()


def test_request_that_need_not_wait_does_not_listen_for_its_client() -> None:
    scheduler = Scheduler("model", 1, 8)
    with scheduler.turn(request_of(on_abandoned=pytest.fail, peer=pytest.fail)) as turn:
        assert not turn.is_carried


def test_wider_scheduler_lets_those_who_wait_in(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    waiting = occupied.enqueue("waiting")
    occupied.scheduler.widen(2)
    waiting.result(60)
    assert occupied.served == ["waiting"]
    occupied.leave()


def test_thousand_turns_of_many_threads_never_overlap_more_than_the_slots(
    threads: ThreadPoolExecutor,
) -> None:
    scheduler = Scheduler("model", 2, 256)
    seen: list[int] = []

    def work() -> None:
        for _ in range(125):
            with scheduler.turn(request_of()):
                seen.append(scheduler.running)

    list(threads.map(lambda _: work(), range(8)))
    assert len(seen) == 1000
    assert max(seen) <= 2
    assert scheduler.running == scheduler.waiting == 0


def test_request_that_fails_while_it_waits_leaves_the_line(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    with pytest.raises(ZeroDivisionError):
        occupied.enqueue("broken", on_abandoned=lambda _: 1 // 0 > 0).result(60)
    assert occupied.scheduler.waiting == 0
    occupied.leave()
    assert occupied.scheduler.running == 0


def test_turn_granted_to_a_request_that_fails_is_given_back(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)

    def fail_once_granted(_: Callable[[], None]) -> bool:
        occupied.leave()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        occupied.enqueue("broken", on_abandoned=fail_once_granted).result(60)
    occupied.serve("next", request_of())
    assert (occupied.served, occupied.scheduler.running) == (["next"], 0)


def test_deadline_later_than_a_lock_can_wait_is_waited_for(threads: ThreadPoolExecutor) -> None:
    occupied = Occupied(threads)
    patient = occupied.enqueue("patient", deadline=1e300)
    occupied.leave()
    patient.result(60)
    assert occupied.served == ["patient"]
