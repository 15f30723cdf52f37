"""The threads of unary calls: few for quick calls, many for those that wait.

Threads that all want the interpreter at once cost more than they bring: sixteen quick calls in
flight are answered with a fifth less CPU by four threads than by sixteen. Calls that wait, for
their turn or for native code, must each have a thread nevertheless, or they could not stand in
line by priority. So a call waits for a thread while a few are at work, and those that are held up
by theirs do not count; a watcher looks after that, and only while calls wait.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from camfleet_contracts.logs import get_logger

logger = get_logger(__name__)

AT_WORK = 2 * (os.cpu_count() or 2)  # more than run at once, whatever a model's slots
_HELD_UP_S = 0.005
_SLOW_S = 0.002  # between two answers; beyond it every call gets its thread at once
_NEWEST = 0.05  # weight of the newest call in the average

_Work = tuple[Callable[..., Any], tuple[Any, ...]]


class CallPool(ThreadPoolExecutor):
    """Runs calls in threads that are started on demand and stay.

    `submit` returns a future that is done from the beginning: gRPC asks for nothing but a sign for
    `maximum_concurrent_rpcs`, which must therefore not be used.
    """

    def __init__(self, threads: int, name: str, waiting: int = 1024) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self.waiting = waiting
        self._limit = threads
        self._name = name
        self._lock = threading.Lock()
        self._backlog: deque[_Work] = deque()
        self._handed: SimpleQueue[_Work | None] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._busy = 0
        self._held_up = 0
        self._is_short = False  # of threads this machine would give
        self._interval_s = 0.0  # average time between two answers
        self._watcher: threading.Thread | None = None
        self._has_backlog = threading.Event()
        self._done: Future[Any] = Future()
        self._done.set_result(None)

    @property
    def is_full(self) -> bool:
        """Tell whether as many calls wait for a thread as may; `submit` takes more even so."""
        return len(self._backlog) >= self.waiting

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call in some thread; its result is nobody's concern.

        Raises:
            RuntimeError: no thread is to be had, and none is there.
        """
        work = (call, args) if not kwargs else (lambda: call(*args, **kwargs), ())
        with self._lock:
            self._backlog.append(work)
            if self._has_room():
                self._hand_out()
                if not self._workers:
                    self._backlog.clear()
                    raise RuntimeError("this machine gives no more threads")
            elif not self._has_backlog.is_set():
                self._watch()
        return self._done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let every thread end after the call it runs; calls without a thread are forgotten."""
        with self._lock:
            self._limit = 0
            self._backlog.clear()
            self._has_backlog.set()
            for _ in self._workers:
                self._handed.put(None)
        super().shutdown(wait=wait, cancel_futures=cancel_futures)

    def next_of(self, worker: "_Worker", began_at: float) -> _Work | None:
        """Take note of an answer; return the worker's next call, None when it is to wait."""
        took_s = time.perf_counter() - began_at
        with self._lock:
            self._interval_s += _NEWEST * (took_s / self._busy - self._interval_s)
            worker.began_at = 0.0
            self._busy -= 1
            if self._backlog and self._has_room():
                self._busy += 1
                return self._backlog.popleft()
        return None

    def _has_room(self) -> bool:
        if self._interval_s > _SLOW_S:
            return self._busy < self._limit
        return self._busy - self._held_up < AT_WORK and self._busy < self._limit

    def _hand_out(self) -> bool:
        """Give the oldest call to a thread that waits, else to a new one.

        False where there is no thread to be had: the call waits for one of those that are.
        """
        if self._busy < len(self._workers):
            self._handed.put(self._backlog.popleft())
        elif not self._start_worker():
            return False
        self._busy += 1
        return True

    def _start_worker(self) -> bool:
        name = f"{self._name}_{len(self._workers)}"
        worker = _Worker(self, self._handed, name, self._backlog[0])
        try:
            worker.start()
        except RuntimeError as error:
            if not self._is_short:
                logger.warning("no_thread_to_answer", threads=len(self._workers), error=str(error))
            self._is_short = True
            return False
        self._is_short = False
        self._backlog.popleft()
        self._workers.append(worker)
        return True

    def _watch(self) -> None:
        self._has_backlog.set()
        if self._watcher is None:
            name = f"{self._name}_watcher"
            self._watcher = threading.Thread(target=self._relieve, name=name, daemon=True)
            self._watcher.start()

    def _relieve(self) -> None:
        """While calls wait, count the threads that are held up and let others take their place."""
        while self._limit:
            self._has_backlog.wait()
            time.sleep(_HELD_UP_S)
            latest = time.perf_counter() - _HELD_UP_S
            with self._lock:
                self._held_up = sum(0.0 < worker.began_at < latest for worker in self._workers)
                while self._backlog and self._has_room() and self._hand_out():
                    pass
                if not self._backlog and self._limit:
                    self._has_backlog.clear()


class _Worker(threading.Thread):
    """Runs one call after the other."""

    def __init__(
        self, pool: CallPool, handed: "SimpleQueue[_Work | None]", name: str, first: _Work
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.began_at = 0.0  # of the call it runs, on time.perf_counter(); 0 while it waits
        self._pool = pool
        self._handed = handed
        self._first = first

    def run(self) -> None:
        """Work until the pool is shut down."""
        work: _Work | None = self._first
        del self._first
        while work is not None:
            began_at = self.began_at = time.perf_counter()
            _run(work)
            work = None  # nothing of a call lives on while the thread waits
            work = self._pool.next_of(self, began_at) or self._handed.get()


def _run(work: _Work) -> None:
    call, args = work
    try:
        call(*args)
    # The thread goes on: what a call raises is gRPC's to tell, so this is a fault of it.
    except Exception:
        logger.exception("call_failed")
