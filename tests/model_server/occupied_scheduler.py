"""A scheduler whose one slot is taken, so that what a test enqueues has to wait."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest
from waiting import wait_until


class Clock:
    """Time that only tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def request_of(**fields: Any) -> InferRequest:
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
        wait_until(lambda: self.scheduler.running == 1, 60, "the slot to be taken")

    def _hold(self) -> None:
        with self.scheduler.turn(request_of()):
            self._may_leave.wait(60)

    def enqueue(self, name: str, **fields: Any) -> Future[None]:
        before = self.scheduler.waiting
        ticket = self._threads.submit(self.serve, name, request_of(**fields))
        wait_until(lambda: self.scheduler.waiting > before or ticket.done(), 60, "the queue")
        return ticket

    def serve(self, name: str, request: InferRequest) -> None:
        with self.scheduler.turn(request):
            self.served.append(name)

    def leave(self) -> None:
        self._may_leave.set()
        self._holder.result(60)
