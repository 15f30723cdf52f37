"""The threads of streams that have requests, and the bound on how many streams are open."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeAlias

from camfleet_contracts.wire import Data
from camfleet_contracts.wire_answers import Buffer
from camfleet_server.transports.grpc.status import Ended, StatusCode

Parts: TypeAlias = Sequence[Buffer]
Answer: TypeAlias = Callable[[Data], Parts]


class OpenStream(Protocol):
    """A stream as the pool sees it."""

    def cancel_if_idle(self) -> None:
        """End it if nothing of it is under way."""
        ...


class StreamPool:
    """Threads for open streams, started on demand."""

    def __init__(self, streams: int, workers: int) -> None:
        self.limit = streams
        self.threads = ThreadPoolExecutor(streams, thread_name_prefix="grpc-stream")
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="grpc-ahead")
        self._idle_workers = threading.Semaphore(workers)
        self.is_draining = False  # streams end once all that they asked is answered
        self._open: set[OpenStream] = set()
        self._lock = threading.Lock()

    def enter(self, call: OpenStream) -> None:
        """Count a stream.

        Raises:
            Ended: there are as many as may be open.
        """
        with self._lock:
            if len(self._open) >= self.limit:
                text = f"{self.limit} streams are open already; close one, or send unary requests"
                raise Ended(StatusCode.RESOURCE_EXHAUSTED, text)
            self._open.add(call)

    def leave(self, call: OpenStream) -> None:
        """Count it as over."""
        with self._lock:
            self._open.discard(call)

    def start(self, answer: Answer, data: Data) -> Callable[[], Parts]:
        """Begin to answer if a worker is idle; return what gives the answer, if need be itself.

        So a stream goes on whatever the others wait for, and no request waits for a worker.

        Raises:
            RuntimeError: the server is stopping.
        """
        if not self._idle_workers.acquire(blocking=False):
            return partial(answer, data)
        try:
            return self._workers.submit(self._answer, answer, data).result
        except RuntimeError:
            self._idle_workers.release()
            raise

    def count(self) -> int:
        """Tell how many streams are open."""
        return len(self._open)

    def cancel_idle(self) -> None:
        """End every stream that waits for nothing."""
        with self._lock:
            still_open = list(self._open)
        for call in still_open:
            call.cancel_if_idle()

    def close(self) -> None:
        """Start nothing any more."""
        self.threads.shutdown(wait=False)
        self._workers.shutdown(wait=False)

    def _answer(self, answer: Answer, data: Data) -> Parts:
        try:
            return answer(data)
        finally:
            self._idle_workers.release()
