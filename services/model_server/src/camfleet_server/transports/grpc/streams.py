"""ModelStreamInfer: one thread answers a stream in order; slow models get their requests ahead.

A stream begins by answering each request in the thread that reads it, which costs half of a unary
call. Once its answers take longer than a hand-over between threads is worth, the next requests are
read and given to the scheduler while earlier ones run, so that one stream can fill every slot and
the newest request of a `stream_id` wins. Answers keep the order of the requests.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias

import grpc
import structlog

from camfleet_contracts.wire_answers import joined, streamed
from camfleet_server.transports.codes import EXPECTED
from camfleet_server.transports.grpc.calls import MessageQuota, deadline_of
from camfleet_server.transports.grpc.kserve_infer import KserveInference, error_in_stream

logger = structlog.get_logger(__name__)

READ_AHEAD = 16  # requests of one stream that run or wait
_SLOW_S = 0.002
_NEWEST = 0.2  # weight of the newest answer in the average

_Answer: TypeAlias = Callable[[bytes], bytes]


class StreamPool:
    """Threads of the open streams, started on demand, and the bound on how many there are."""

    def __init__(self, streams: int, workers: int) -> None:
        self.limit = streams
        # Two for a stream that is read ahead; the rest is there to refuse what is over the bound.
        self.threads = ThreadPoolExecutor(2 * streams + 8, thread_name_prefix="grpc-stream")
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="grpc-ahead")
        self._idle_workers = threading.Semaphore(workers)
        self.is_draining = False
        self._open: set[_Flow] = set()
        self._lock = threading.Lock()

    def enter(self, flow: "_Flow") -> bool:
        """Count a stream; False when the bound is reached."""
        with self._lock:
            if len(self._open) >= self.limit:
                return False
            self._open.add(flow)
            return True

    def leave(self, flow: "_Flow") -> None:
        """Count it as over."""
        with self._lock:
            self._open.discard(flow)

    def start(self, answer: _Answer, data: bytes) -> Callable[[], bytes]:
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

    def drain(self) -> None:
        """End every stream: an idle one now, the others once their requests are answered."""
        self.is_draining = True
        with self._lock:
            idle = [flow for flow in self._open if flow.is_idle]
        for flow in idle:
            flow.cancel()

    def close(self) -> None:
        """Start nothing any more."""
        self.threads.shutdown(wait=False)
        self._workers.shutdown(wait=False)

    def _answer(self, answer: _Answer, data: bytes) -> bytes:
        try:
            return answer(data)
        finally:
            self._idle_workers.release()


def stream_handler(
    inference: KserveInference, pool: StreamPool, quota: MessageQuota
) -> grpc.RpcMethodHandler:
    """Make the handler of ModelStreamInfer; its messages stay bytes."""

    def infer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        flow = _Flow(requests, context.cancel, pool)
        if not pool.enter(flow):
            text = f"{pool.limit} streams are open already; close one, or send unary requests"
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        if not context.add_callback(partial(pool.leave, flow)):
            pool.leave(flow)
        return _answers(flow, _Stream(inference, context, quota).answer, pool)

    infer.experimental_thread_pool = pool.threads  # type: ignore[attr-defined] # gRPC looks here
    return grpc.stream_stream_rpc_method_handler(infer)


class _Flow:
    """The requests of one stream, counted as they come and once they are answered."""

    def __init__(
        self, requests: Iterator[bytes], cancel: Callable[[], None], pool: StreamPool
    ) -> None:
        self.cancel = cancel
        self._requests = requests
        self._pool = pool
        self._taken = 0  # by the thread that reads
        self._answered = 0  # by the thread that answers

    @property
    def is_idle(self) -> bool:
        """Tell whether every request that came was answered."""
        return self._taken == self._answered

    def __iter__(self) -> Iterator[bytes]:
        """Give the requests."""
        for data in self._requests:
            self._taken += 1
            yield data

    def is_over_after_answer(self) -> bool:
        """Count an answer; True when the server ends and nothing else is under way."""
        self._answered += 1
        return self._pool.is_draining and self.is_idle


class _Stream:
    """Answers the requests of one stream, in any thread; an error ends its request only."""

    def __init__(
        self, inference: KserveInference, context: grpc.ServicerContext, quota: MessageQuota
    ) -> None:
        self._inference = inference
        self._context = context
        self._quota = quota
        self._end = _StreamEnd()
        if not context.add_callback(self._end.tell):
            self._end.tell()

    def answer(self, data: bytes) -> bytes:
        """Answer one request with a ModelStreamInferResponse."""
        try:
            with self._quota.holding(len(data)):
                return self._infer(data)
        except EXPECTED as error:
            return error_in_stream(data, str(error))
        # A request of the stream ends here: logged whole, the others go on.
        except Exception as error:
            logger.exception("stream_request_failed", error=repr(error))
            return error_in_stream(data, f"Internal server error - {error!r}")

    def _infer(self, data: bytes) -> bytes:
        waiter = self._end.waiter()
        try:
            deadline, peer = deadline_of(self._context), self._context.peer
            return joined(streamed(self._inference.answer(data, deadline, waiter.register, peer)))
        finally:
            waiter.forget()


class _StreamEnd:
    """Tells those who wait that their stream is over; gRPC itself keeps callbacks to the end."""

    def __init__(self) -> None:
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._is_over = False

    def waiter(self) -> "_Waiter":
        """Make the place of one request."""
        return _Waiter(self, next(self._numbers))

    def add(self, number: int, callback: Callable[[], None]) -> bool:
        """Keep a callback; False when the stream is over and it will not run."""
        self._callbacks[number] = callback
        return not (self._is_over and self._callbacks.pop(number, None) is not None)

    def remove(self, number: int) -> None:
        """Forget a callback."""
        self._callbacks.pop(number, None)

    def tell(self) -> None:
        """Run every callback once."""
        self._is_over = True
        for number in list(self._callbacks):
            callback = self._callbacks.pop(number, None)
            if callback is not None:
                callback()


class _Waiter:
    """One request of a stream as the scheduler sees it."""

    __slots__ = ("_end", "_number")

    def __init__(self, end: _StreamEnd, number: int) -> None:
        self._end = end
        self._number = number

    def register(self, callback: Callable[[], None]) -> bool:
        return self._end.add(self._number, callback)

    def forget(self) -> None:
        self._end.remove(self._number)


def _answers(flow: _Flow, answer: _Answer, pool: StreamPool) -> Iterator[bytes]:
    average_s = 0.0
    requests = iter(flow)
    for data in requests:
        began_at = time.perf_counter()
        response = answer(data)
        average_s += _NEWEST * (time.perf_counter() - began_at - average_s)
        yield response
        if flow.is_over_after_answer():
            return
        if average_s > _SLOW_S:
            ahead = _Ahead(requests, partial(pool.start, answer))
            pool.threads.submit(ahead.read)
            yield from _answers_ahead(ahead, flow)
            return


def _answers_ahead(ahead: "_Ahead", flow: _Flow) -> Iterator[bytes]:
    try:
        for response in ahead.answers():
            yield response
            if flow.is_over_after_answer():
                return
    finally:
        ahead.close()


class _Ahead:
    """Reads requests while earlier ones are answered, and keeps the answers in order."""

    def __init__(
        self, requests: Iterator[bytes], start: Callable[[bytes], Callable[[], bytes]]
    ) -> None:
        self._requests = requests
        self._start = start
        self._pending: SimpleQueue[Callable[[], bytes] | None] = SimpleQueue()
        self._room = threading.Semaphore(READ_AHEAD)
        self._is_closed = False

    def read(self) -> None:
        """Read until the client ends the stream or nobody wants the answers; its own thread."""
        try:
            for data in self._requests:
                self._room.acquire()
                if self._is_closed:
                    return
                self._pending.put(self._start(data))
        except grpc.RpcError:
            logger.debug("stream_cancelled")
        except RuntimeError:
            logger.debug("stream_cut", hint="the server is stopping")
        finally:
            self._pending.put(None)

    def answers(self) -> Iterator[bytes]:
        """Give the answers in the order of the requests."""
        while (answer := self._pending.get()) is not None:
            yield answer()
            self._room.release()

    def close(self) -> None:
        """Let the reader go."""
        self._is_closed = True
        self._room.release()
