"""Unary calls: one message, one answer, in the thread that suits.

A quick inference on a connection that has nothing else open is answered by the thread that read it:
handing it to another would cost more than the answer. Everything else goes to a pool of threads.
Inferences may take every thread of theirs; what else is asked (metadata, status, reloads) has
threads of its own, so that no busy model keeps it waiting.
"""

import time
from typing import TYPE_CHECKING

from camfleet_contracts.logs import get_logger
from camfleet_server.transports.codes import EXPECTED, codes_of
from camfleet_server.transports.grpc.admission import Check
from camfleet_server.transports.grpc.calls import Kind, Unary
from camfleet_server.transports.grpc.messages import CUT, Hand, MessageReader
from camfleet_server.transports.grpc.pool import CallPool
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.status import Ended, StatusCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camfleet_contracts.wire import Data
    from camfleet_contracts.wire_answers import Buffer

logger = get_logger(__name__)

_ASKING_THREADS = 64


class CallPools:
    """The threads of unary calls."""

    def __init__(self, threads: int, waiting: int) -> None:
        self.inferring = CallPool(threads, "grpc", waiting)
        self.asking = CallPool(_ASKING_THREADS, "grpc-ask", waiting)

    def of(self, kind: Kind) -> CallPool:
        """Return the pool of a kind of call."""
        return self.inferring if kind is Kind.INFERENCE else self.asking

    def close(self) -> None:
        """Start nothing any more."""
        for pool in (self.inferring, self.asking):
            pool.shutdown(wait=False, cancel_futures=True)


def refuse_if_full(pool: CallPool) -> None:
    """Refuse a call while too many wait for a thread.

    Raises:
        Ended: come again later.
    """
    if pool.is_full:
        text = f"{pool.waiting} calls wait for a thread (--grpc_max_threads); try again later"
        raise Ended(StatusCode.RESOURCE_EXHAUSTED, text)


class UnaryCall:
    """Receives one message and has it answered."""

    __slots__ = ("_check", "_data", "_hand", "_handler", "_messages", "_pool", "_rpc")

    def __init__(
        self,
        rpc: Rpc,
        handler: Unary,
        messages: MessageReader,
        pool: CallPool,
        check: Check | None,
        hand: Hand,
    ) -> None:
        self._rpc = rpc
        self._hand = hand
        self._handler = handler
        self._messages = messages
        self._pool = pool
        self._check = check  # of a key, that may still be under way
        self._data: Data | None = None

    @property
    def wants_more(self) -> bool:
        """Tell whether the client may send on: always."""
        return True

    @property
    def is_amid_message(self) -> bool:
        """Tell whether the rest of the message is still to come."""
        return self._messages.is_amid_message

    def room(self, most: int) -> memoryview | None:
        """Offer the memory of a message that is under way."""
        return self._messages.room(most)

    def take(self, piece: memoryview) -> None:
        """Take some of the request."""
        try:
            messages = self._messages.take(piece)
        except Ended as ended:
            self._rpc.fail(ended.code, str(ended))
            return
        for message in messages:
            if self._data is not None:
                self._rpc.fail(StatusCode.INTERNAL, "a unary call has one message, not more")
                return
            self._data = message

    def end(self) -> None:
        """Have it answered."""
        if self._messages.is_amid_message:
            self._rpc.fail(StatusCode.INTERNAL, CUT)
        elif self._data is None:
            self._rpc.fail(StatusCode.INTERNAL, "a unary call has one message; none came")
        else:
            self._rpc.connection.ready.append(self)

    def start(self, *, is_only: bool) -> None:
        """Answer here, or in another thread; the reading thread, which has nothing else to do."""
        connection = self._rpc.connection
        if self._handler.kind is Kind.PROMPT:
            self._run()
        elif self._is_for_reader(is_only):
            connection.work(self._run)
        else:
            self._submit()

    def _submit(self) -> None:
        try:
            refuse_if_full(self._pool)  # others may have come since the headers were read
        except Ended as ended:
            self._rpc.fail(ended.code, str(ended))
            return
        try:
            self._pool.submit(self._run_timed)
        except RuntimeError as error:
            self._rpc.fail(StatusCode.UNAVAILABLE, f"no thread to answer in: {error}")

    def _is_for_reader(self, is_only: bool) -> bool:
        return (
            is_only
            and self._handler.kind is Kind.INFERENCE
            and self._rpc.connection.pace.is_quick
            and self._check is None
            and self._rpc.is_alone
        )

    def _run_timed(self) -> None:
        began_at = time.perf_counter()
        self._run()
        self._rpc.connection.pace.note(time.perf_counter() - began_at)

    def _run(self) -> None:
        rpc, data = self._rpc, self._data
        self._data = None
        if rpc.is_over or data is None:
            return
        try:
            if self._check is not None:
                self._check()
            self._hold(rpc.answer(self._made(data)))
        except Ended as ended:
            rpc.fail(ended.code, str(ended))
        except EXPECTED as error:
            rpc.fail(codes_of(error).grpc, str(error))
        # An RPC ends here: the fault is logged whole, the client learns its kind.
        except Exception as error:
            logger.exception("rpc_failed", error=repr(error))
            rpc.fail(StatusCode.INTERNAL, f"Internal server error - {error!r}")

    def _made(self, data: "Data") -> "Sequence[Buffer]":
        """Make the answer; before it is sent it shows whether its client asks for one at a time."""
        rpc, began_at = self._rpc, time.perf_counter()
        parts = self._handler.answer(data, rpc)
        pace = rpc.connection.pace
        if pace.is_long(began_at):
            pace.is_shared = rpc.connection.is_shared
        return parts

    def _hold(self, waiting_bytes: int) -> None:
        """Count an answer that the client does not take, unless all in hand is too much already."""
        if not waiting_bytes:
            return
        try:
            self._hand.take(waiting_bytes)
        except Ended as ended:
            logger.warning("answer_dropped", peer=self._rpc.peer(), reason=str(ended))
            self._rpc.take_back()
