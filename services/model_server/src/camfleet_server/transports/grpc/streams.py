"""ModelStreamInfer: answered in order as its requests come; slow models get them ahead.

A stream begins by answering each request at once, in the thread that reads where the stream is all
its connection has, which costs a fraction of a unary call. Once its answers take longer than a
hand-over between threads is worth, the next requests are given to the scheduler while earlier ones
run, so that one stream can fill every slot and the newest request of a `stream_id` wins. Answers
keep the order of the requests. A stream that is merely open has no thread.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from camfleet_contracts.logs import get_logger
from camfleet_contracts.wire import Data
from camfleet_contracts.wire_answers import streamed
from camfleet_server.transports.codes import EXPECTED
from camfleet_server.transports.grpc.admission import Check
from camfleet_server.transports.grpc.calls import MessageQuota, Streaming
from camfleet_server.transports.grpc.kserve_infer import KserveInference, error_in_stream
from camfleet_server.transports.grpc.messages import CUT, MessageReader
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.status import Ended, StatusCode
from camfleet_server.transports.grpc.stream_pool import Parts, StreamPool
from camfleet_server.transports.http2.exchange import Receiver

logger = get_logger(__name__)

READ_AHEAD = 16  # requests of one stream that run or wait
_WAITING_BYTES = 1 << 20  # of one stream, before its client has to wait
_SLOW_S = 0.002
_NEWEST = 0.2  # weight of the newest answer in the average

_Answer: TypeAlias = Callable[[Data], Parts]


def stream_handler(inference: KserveInference, pool: StreamPool, quota: MessageQuota) -> Streaming:
    """Make the handler of ModelStreamInfer; its messages stay bytes."""

    def open_stream(rpc: Rpc, messages: MessageReader, check: Check | None) -> Receiver:
        call = StreamCall(rpc, StreamAnswers(inference, rpc, quota).answer, messages, pool, check)
        pool.enter(call)
        if not rpc.on_end(partial(pool.leave, call)):
            pool.leave(call)
        return call

    return Streaming(open_stream)


class StreamCall:
    """Receives the requests of one stream and has them answered, one thread at a time."""

    def __init__(
        self,
        rpc: Rpc,
        answer: _Answer,
        messages: MessageReader,
        pool: StreamPool,
        check: Check | None,
    ) -> None:
        self._rpc = rpc
        self._answer = answer
        self._messages = messages
        self._pool = pool
        self._check = check
        self._lock = threading.Lock()  # over what follows
        self._inbox: deque[Data] = deque()
        self._begun: deque[Callable[[], Parts]] = deque()  # ahead, in order
        self._has_thread = False
        self._is_complete = False  # the client sends nothing more
        self._average_s = 0.0

    @property
    def wants_more(self) -> bool:
        """Tell whether the client may send on: not while a lot of it waits."""
        if len(self._inbox) >= READ_AHEAD:
            return False
        return sum(map(len, list(self._inbox))) < _WAITING_BYTES

    @property
    def is_amid_message(self) -> bool:
        """Tell whether the rest of a message is still to come."""
        return self._messages.is_amid_message

    def room(self, most: int) -> memoryview | None:
        """Offer the memory of a message that is under way."""
        return self._messages.room(most)

    def take(self, piece: memoryview) -> None:
        """Take some of the requests."""
        try:
            messages = self._messages.take(piece)
        except Ended as ended:
            self._rpc.fail(ended.code, str(ended))
            return
        if messages:
            with self._lock:
                self._inbox.extend(messages)
            self._rpc.connection.ready.append(self)

    def end(self) -> None:
        """Learn that there are no more requests."""
        if self._messages.is_amid_message:
            self._rpc.fail(StatusCode.INTERNAL, CUT)
            return
        self._rpc.connection.ready.append(self)
        with self._lock:
            self._is_complete = True

    def start(self, *, is_only: bool) -> None:
        """Answer what is there, here or in another thread; the reading thread."""
        with self._lock:
            if self._has_thread:
                self._begin_ahead()
                return
            self._has_thread = True
        is_quick = self._average_s <= _SLOW_S and self._check is None
        if is_quick and is_only and self._rpc.is_alone:
            self._rpc.connection.work(self._run)
        else:
            self._submit()

    def cancel_if_idle(self) -> None:
        """End the stream if nothing of it is under way."""
        with self._lock:
            is_idle = not (self._has_thread or self._inbox or self._begun)
        if is_idle:
            self._rpc.fail(StatusCode.CANCELLED, "the server is stopping")

    def _submit(self) -> None:
        try:
            self._pool.threads.submit(self._run)
        except RuntimeError as error:
            self._cut(error)

    def _run(self) -> None:
        try:
            self._run_to_end()
        except Ended as ended:
            self._rpc.fail(ended.code, str(ended))
        except RuntimeError as error:
            self._cut(error)

    def _cut(self, error: RuntimeError) -> None:
        """End the stream where no thread is to be had, as when the server is stopping."""
        logger.debug("stream_cut", error=str(error))
        self._rpc.fail(StatusCode.UNAVAILABLE, f"no thread to answer in: {error}")

    def _run_to_end(self) -> None:
        """Answer until nothing is left; then the stream has no thread again, or is over."""
        if self._check is not None:
            self._check()
            self._check = None
        while (answer := self._next()) is not None:
            began_at = time.perf_counter()
            parts = answer()
            self._average_s += _NEWEST * (time.perf_counter() - began_at - self._average_s)
            self._rpc.send(parts)
            if self.wants_more:
                self._rpc.let_more_in()
            if self._is_drained():
                return

    def _next(self) -> Callable[[], Parts] | None:
        """Take the oldest request; None when there is none, or nobody wants answers any more."""
        with self._lock:
            self._begin_ahead()
            if self._rpc.is_over:
                self._inbox.clear()
                self._begun.clear()
            elif self._begun:
                return self._begun.popleft()
            elif self._inbox:
                return partial(self._answer, self._inbox.popleft())
            self._has_thread = False
            is_complete = self._is_complete
        if is_complete:
            self._rpc.finish()
        return None

    def _begin_ahead(self) -> None:
        """Give requests of a slow stream to the scheduler, within the bound; under the lock."""
        if self._average_s > _SLOW_S and not self._rpc.is_over:
            while self._inbox and len(self._begun) < READ_AHEAD - 1:  # one more is being answered
                self._begun.append(self._pool.start(self._answer, self._inbox.popleft()))

    def _is_drained(self) -> bool:
        """End the stream if the server ends and every request was answered."""
        if not self._pool.is_draining:
            return False
        with self._lock:
            is_done = not (self._inbox or self._begun)
        if is_done:
            self._rpc.finish()
        return is_done


class StreamAnswers:
    """Answers the requests of one stream, in any thread; an error ends its request only."""

    def __init__(self, inference: KserveInference, rpc: Rpc, quota: MessageQuota) -> None:
        self._inference = inference
        self._rpc = rpc
        self._quota = quota
        self._end = _StreamEnd()
        if not rpc.on_end(self._end.tell):
            self._end.tell()

    def answer(self, data: Data) -> Parts:
        """Answer one request with a ModelStreamInferResponse."""
        try:
            with self._quota.holding(len(data)):
                return self._infer(data)
        except EXPECTED as error:
            return (error_in_stream(data, str(error)),)
        # A request of the stream ends here: logged whole, the others go on.
        except Exception as error:
            logger.exception("stream_request_failed", error=repr(error))
            return (error_in_stream(data, f"Internal server error - {error!r}"),)

    def _infer(self, data: Data) -> Parts:
        waiter = self._end.waiter()
        try:
            rpc = self._rpc
            return streamed(self._inference.answer(data, rpc.deadline, waiter.register, rpc.peer))
        finally:
            waiter.forget()


class _StreamEnd:
    """Tells those who wait that their stream is over; the call keeps its callbacks to the end."""

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
