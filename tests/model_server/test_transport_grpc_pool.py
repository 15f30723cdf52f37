"""The threads of unary calls: few for quick calls, one each for calls that wait."""

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from camfleet_server.transports.grpc import pool as pool_module
from camfleet_server.transports.grpc.pool import CallPool
from waiting import wait_until

END_S = 60
NAME = "calls-under-test"


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(pool_module, "AT_WORK", 2)
    return 2


@pytest.fixture
def pool(at_work: int) -> Iterator[CallPool]:
    del at_work
    made = CallPool(64, NAME)
    yield made
    made.shutdown(wait=False)


def threads(pool: CallPool) -> list[threading.Thread]:
    return [worker for worker in pool._workers if worker.is_alive()]


def meet(together: threading.Barrier, met: threading.Semaphore) -> None:
    together.wait(END_S)
    met.release()


def all_done(pool: CallPool, count: int) -> bool:
    done = threading.Semaphore(0)
    for _ in range(count):
        pool.submit(done.release)
    return all(done.acquire(timeout=END_S) for _ in range(count))


def test_calls_that_wait_have_a_thread_each(pool: CallPool) -> None:
    together, met = threading.Barrier(20), threading.Semaphore(0)
    for _ in range(20):
        pool.submit(meet, together, met)
    assert all(met.acquire(timeout=END_S) for _ in range(20))


def test_quick_calls_are_answered_while_others_are_held_up(pool: CallPool) -> None:
    opened = threading.Event()
    for _ in range(10):
        pool.submit(opened.wait, END_S)
    assert all_done(pool, 50)
    opened.set()


def test_quick_calls_share_a_few_threads(monkeypatch: pytest.MonkeyPatch, pool: CallPool) -> None:
    monkeypatch.setattr(pool_module, "_HELD_UP_S", 3600.0)
    monkeypatch.setattr(pool_module, "_SLOW_S", 3600.0)
    assert all_done(pool, 200)
    assert 1 <= len(threads(pool)) <= 2


def test_slow_answers_give_every_call_its_thread_at_once(
    monkeypatch: pytest.MonkeyPatch, pool: CallPool
) -> None:
    monkeypatch.setattr(pool_module, "_HELD_UP_S", 3600.0)
    monkeypatch.setattr(pool_module, "_SLOW_S", 0.0)
    assert all_done(pool, 1)
    wait_until(lambda: pool._interval_s > 0, END_S, "the first answer to be noted")
    together, met = threading.Barrier(10), threading.Semaphore(0)
    for _ in range(10):
        pool.submit(meet, together, met)
    assert all(met.acquire(timeout=END_S) for _ in range(10))


def test_calls_beyond_the_bound_wait_and_are_all_run() -> None:
    small = CallPool(2, NAME)
    together = threading.Barrier(2)
    for _ in range(2):
        small.submit(together.wait, END_S)
    assert all_done(small, 20)
    assert len(threads(small)) == 2
    small.shutdown(wait=False)


def test_a_call_that_raises_costs_no_thread(pool: CallPool) -> None:
    pool.submit(next, iter(()))
    assert all_done(pool, 3)


def test_nothing_of_a_call_lives_on_in_a_thread_that_waits(pool: CallPool) -> None:
    request = threading.Event()
    kept = weakref.ref(request)
    pool.submit(request.set)
    request.wait(END_S)
    del request
    wait_until(lambda: kept() is None, END_S, "the call to be forgotten")


def test_threads_are_started_on_demand_and_end_with_the_pool() -> None:
    made = CallPool(64, NAME)
    with ThreadPoolExecutor(1) as client:
        for _ in range(50):
            done = threading.Event()
            client.submit(made.submit, done.set)
            assert done.wait(END_S)
    assert 1 <= len(threads(made)) < 10
    made.shutdown(wait=False)
    wait_until(lambda: not threads(made), END_S, "the threads to end")


def test_a_pool_that_is_shut_down_forgets_calls_without_a_thread() -> None:
    made = CallPool(1, NAME)
    opened, late = threading.Event(), threading.Event()
    made.submit(opened.wait, END_S)
    made.submit(late.set)
    made.shutdown(wait=False)
    opened.set()
    wait_until(lambda: not threads(made), END_S, "the thread to end")
    assert not late.is_set()


def test_a_machine_without_threads_refuses_calls_until_it_has_some_again(
    monkeypatch: pytest.MonkeyPatch, pool: CallPool
) -> None:
    done = threading.Event()
    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError, match="no more threads"):
            pool.submit(done.set)
    assert not done.is_set()
    pool.submit(done.set)
    assert done.wait(END_S)


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
