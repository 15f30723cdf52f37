"""Requests that wait are inferred together, and nobody can tell but by the time it takes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_server.errors import DeadlineExceeded, Superseded
from camfleet_server.serving.batching import BatchedInference
from camfleet_server.serving.inference import Inferred
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import Tensors, TensorSpec
from occupied_scheduler import Clock, request_of
from waiting import wait_until


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as pool:
        yield pool


class Doubler:
    """Doubles its rows; refuses negative ones; the first inference waits until it may go on."""

    platform = "none"
    device = "none"
    slots = 1

    def __init__(self) -> None:
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("x", "FP32", (-1, 2)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("y", "FP32", (-1, 2)),)
        self.input_aliases: Mapping[str, str] = {}
        self.output_aliases: Mapping[str, str] = {}
        self.batches: list[int] = []
        self.may_go_on = threading.Event()

    def infer(self, inputs: Tensors, wanted: tuple[str, ...], *, in_crowd: bool = False) -> Tensors:
        del in_crowd
        self.batches.append(len(inputs["x"]))
        if len(self.batches) == 1:
            self.may_go_on.wait(60)
        if (inputs["x"] < 0).any():
            raise ValueError("a negative row")
        return dict.fromkeys(wanted, inputs["x"] * 2)

    def close(self) -> None:
        self.batches.clear()


class Busy:
    """A doubler whose first inference runs, so that what comes next waits."""

    def __init__(self, threads: ThreadPoolExecutor, max_rows: int = 8, delay_s: float = 0) -> None:
        self.clock = Clock()
        self.servable = Doubler()
        self.scheduler = Scheduler("model", 1, 32, self.clock)
        self._inference = BatchedInference(self.scheduler, max_rows, delay_s)
        self._threads = threads
        self.executed_rows: list[int] = []
        self._first = threads.submit(self._infer, 0, 1, {})
        wait_until(lambda: self.servable.batches, 60, "the first inference to run")

    def enqueue(self, value: float, rows: int = 1, **fields: Any) -> Future[NDArray[Any]]:
        before = self.scheduler.waiting
        ticket = self._threads.submit(self._infer, value, rows, fields)
        wait_until(lambda: self.scheduler.waiting > before, 60, "the request to wait")
        return ticket

    def go_on(self) -> None:
        self.servable.may_go_on.set()
        self._first.result(60)

    def _infer(self, value: float, rows: int, fields: dict[str, Any]) -> NDArray[Any]:
        inputs: Tensors = {"x": np.full((rows, 2), value, np.float32)}
        done = self._inference.infer(request_of(**fields), self.servable, inputs, ("y",))
        assert done.began_at <= done.ended_at
        self.executed_rows.append(rows if done.executed_rows is None else done.executed_rows)
        return done.outputs["y"]


def test_those_that_wait_are_inferred_together_and_each_gets_its_rows(
    threads: ThreadPoolExecutor,
) -> None:
    busy = Busy(threads)
    tickets = [busy.enqueue(value, rows) for value, rows in ((1, 1), (2, 3), (3, 2))]
    busy.go_on()
    answers = [ticket.result(60).tolist() for ticket in tickets]
    assert answers == [[[2, 2]], [[4, 4]] * 3, [[6, 6]] * 2]
    assert busy.servable.batches == [1, 6]
    assert sorted(busy.executed_rows) == [0, 0, 1, 6]  # one request stands for the execution
    assert busy.scheduler.running == 0


def test_batch_never_exceeds_its_bound(threads: ThreadPoolExecutor) -> None:
    busy = Busy(threads, max_rows=4)
    tickets = [busy.enqueue(value, rows) for value, rows in ((1, 3), (2, 2), (3, 1), (4, 9))]
    busy.go_on()
    assert [len(ticket.result(60)) for ticket in tickets] == [3, 2, 1, 9]
    assert busy.servable.batches == [1, 4, 2, 9]


def test_bad_request_of_a_batch_fails_alone(threads: ThreadPoolExecutor) -> None:
    busy = Busy(threads)
    good, bad, fine = busy.enqueue(1), busy.enqueue(-1), busy.enqueue(2)
    busy.go_on()
    with pytest.raises(ValueError, match="a negative row"):
        bad.result(60)
    assert (good.result(60)[0, 0], fine.result(5)[0, 0]) == (2, 4)
    assert busy.servable.batches == [1, 3, 1, 1, 1]


def test_only_requests_of_equal_dimensions_are_put_together(threads: ThreadPoolExecutor) -> None:
    busy = Busy(threads)
    inference = BatchedInference(busy.scheduler, 8, 0)
    wide: Tensors = {"x": np.ones((1, 3), np.float32)}
    first = busy.enqueue(1)
    other = threads.submit(inference.infer, request_of(), busy.servable, wide, ("y",))
    wait_until(lambda: busy.scheduler.waiting == 2, 60, "both to wait")
    busy.go_on()
    assert first.result(60).shape == (1, 2)
    assert other.result(60).outputs["y"].shape == (1, 3)
    assert busy.servable.batches == [1, 1, 1]


def test_request_whose_deadline_passed_is_not_carried(threads: ThreadPoolExecutor) -> None:
    busy = Busy(threads)
    late = busy.enqueue(1, deadline=busy.clock.now + 60)
    kept = busy.enqueue(2)
    busy.clock.now += 61
    busy.go_on()
    with pytest.raises(DeadlineExceeded):
        late.result(60)
    assert kept.result(60)[0, 0] == 4
    assert busy.servable.batches == [1, 1]


def test_newer_request_of_a_stream_still_takes_the_place_of_the_older(
    threads: ThreadPoolExecutor,
) -> None:
    busy = Busy(threads)
    older = busy.enqueue(1, stream_id="door")
    newer = threads.submit(busy._infer, 2, 1, {"stream_id": "door"})
    with pytest.raises(Superseded):
        older.result(60)
    busy.go_on()
    assert newer.result(60)[0, 0] == 4


def test_leader_waits_for_more_until_its_batch_is_full(threads: ThreadPoolExecutor) -> None:
    scheduler = Scheduler("model", 2, 8)
    inference = BatchedInference(scheduler, 2, 30.0)
    servable = Doubler()
    servable.may_go_on.set()
    row: Tensors = {"x": np.ones((1, 2), np.float32)}
    tickets = [
        threads.submit(inference.infer, request_of(), servable, row, ("y",)) for _ in range(2)
    ]
    assert [ticket.result(60).outputs["y"].shape for ticket in tickets] == [(1, 2)] * 2
    assert servable.batches == [2]


def test_leader_does_not_wait_longer_than_its_delay() -> None:
    servable = Doubler()
    servable.may_go_on.set()
    inference = BatchedInference(Scheduler("model", 1, 8), 8, 0.001)
    done = inference.infer(request_of(), servable, {"x": np.ones((1, 2), np.float32)}, ("y",))
    assert done.outputs["y"].tolist() == [[2, 2]]


class Leading:
    """A leader of up to four rows that has a turn and waits long for more of them."""

    def __init__(self, threads: ThreadPoolExecutor, clock: Callable[[], float], rows: int) -> None:
        self.servable = Doubler()
        self.servable.may_go_on.set()
        self.scheduler = Scheduler("model", 1, 32, clock)
        self._inference = BatchedInference(self.scheduler, 4, 30.0)
        self._threads = threads
        self.leader = self.ask(rows)
        self.gathering = wait_until(lambda: self.scheduler._gathering, 60, "the leader to wait")

    def ask(self, rows: int, **fields: Any) -> Future[Inferred]:
        inputs: Tensors = {"x": np.ones((rows, 2), np.float32)}
        infer, request = self._inference.infer, request_of(**fields)
        return self._threads.submit(infer, request, self.servable, inputs, ("y",))


def test_leader_leaves_itself_time_before_its_own_deadline() -> None:
    servable = Doubler()
    servable.may_go_on.set()
    inference = BatchedInference(Scheduler("model", 1, 8), 8, 30.0)
    request = request_of(deadline=time.monotonic() + 1)
    done = inference.infer(request, servable, {"x": np.ones((1, 2), np.float32)}, ("y",))
    assert done.outputs["y"].tolist() == [[2, 2]]


def test_leader_does_not_keep_one_that_joins_beyond_its_deadline(
    threads: ThreadPoolExecutor,
) -> None:
    leading = Leading(threads, time.monotonic, rows=1)
    hurried = leading.ask(1, deadline=time.monotonic() + 1)
    assert hurried.result(60).outputs["y"].shape == (1, 2)
    leading.leader.result(60)
    assert leading.servable.batches == [2]


def test_request_that_expires_while_its_batch_is_gathered_is_not_inferred(
    threads: ThreadPoolExecutor,
) -> None:
    clock = Clock()
    leading = Leading(threads, clock, rows=1)
    late = leading.ask(2, deadline=clock.now + 90)
    wait_until(lambda: leading.gathering.tickets, 60, "the request to join")
    clock.now += 91
    leading.gathering._changed.set()  # it sleeps by the real time
    with pytest.raises(DeadlineExceeded):
        late.result(60)
    assert leading.leader.result(60).outputs["y"].shape == (1, 2)
    assert leading.servable.batches == [1]


def test_newer_request_that_joins_a_batch_takes_the_place_of_the_older_in_line(
    threads: ThreadPoolExecutor,
) -> None:
    leading = Leading(threads, Clock(), rows=2)
    older = leading.ask(3, stream_id="door")
    wait_until(lambda: leading.scheduler.waiting, 60, "the larger request to wait")
    newer = leading.ask(2, stream_id="door")
    with pytest.raises(Superseded):
        older.result(60)
    assert newer.result(60).outputs["y"].shape == (2, 2)
    assert leading.servable.batches == [4]
