"""One gRPC call as those who answer it see it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from numpy import ndarray

from camfleet_contracts.wire_answers import Buffer
from camfleet_server.transports.grpc.status import (
    Ended,
    StatusCode,
    answer_head,
    bad_end,
    good_end,
)
from camfleet_server.transports.http2.connection import Connection
from camfleet_server.transports.http2.exchange import Exchange
from camfleet_server.transports.http2.frames import NUMBER, ErrorCode

_UNCOMPRESSED = b"\0"


class Rpc:
    """One call; any thread may answer it, one at a time."""

    __slots__ = ("_connection", "_exchange", "_has_head", "_most_bytes", "deadline")

    def __init__(
        self, connection: Connection, exchange: Exchange, timeout_s: float | None, most_bytes: int
    ) -> None:
        self._connection = connection
        self._exchange = exchange
        self._has_head = False
        self._most_bytes = most_bytes  # of one answer
        self.deadline = None if timeout_s is None else time.monotonic() + timeout_s

    @property
    def connection(self) -> Connection:
        """The connection the call came by."""
        return self._connection

    @property
    def is_over(self) -> bool:
        """Tell whether nobody waits for an answer any more."""
        return self._exchange.is_over

    @property
    def is_alone(self) -> bool:
        """Tell whether it is the only call that is open on its connection."""
        return len(self._connection.outgoing.exchanges) == 1

    def peer(self) -> str:
        """Tell who calls: `ipv4:1.2.3.4:5`, `ipv6:%5B::1%5D:5` or `unix:`."""
        return self._connection.peer

    def on_end(self, callback: Callable[[], None]) -> bool:
        """Run something once the call is over, however; False when it is already."""
        return self._exchange.on_end(callback)

    def answer(self, parts: Sequence[Buffer]) -> int:
        """Send the one answer of a unary call and end it well.

        Returns how many bytes of it wait until the client lets them through.

        Raises:
            Ended: it is too large.
        """
        number = self._exchange.number
        body = self._message(parts)
        outgoing = self._exchange.outgoing
        return outgoing.answer(self._exchange, answer_head(number), body, good_end(number))

    def take_back(self) -> None:
        """Drop what waits of an answer: RESOURCE_EXHAUSTED, as clients read the code."""
        self._exchange.outgoing.cancel(self._exchange, ErrorCode.ENHANCE_YOUR_CALM)

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send one of several answers; waits while the client does not take them.

        Raises:
            Ended: it is too large.
        """
        before = b"" if self._has_head else answer_head(self._exchange.number)
        body = self._message(parts)
        self._has_head = True
        outgoing = self._exchange.outgoing
        outgoing.answer(self._exchange, before, body, b"")
        outgoing.wait_for_room(self._exchange)

    def finish(self) -> None:
        """End a call well that has had all of its answers."""
        number = self._exchange.number
        before = b"" if self._has_head else answer_head(number)
        self._exchange.outgoing.answer(self._exchange, before, b"", good_end(number))

    def fail(self, code: StatusCode, text: str) -> None:
        """End the call with a code and a text."""
        last = bad_end(self._exchange.number, code, text, has_head=self._has_head)
        self._exchange.outgoing.answer(self._exchange, b"", b"", last)

    def let_more_in(self) -> None:
        """Let the client send on after it was held up."""
        self._exchange.outgoing.grant(self._exchange, self._connection.window_bytes)

    def _message(self, parts: Sequence[Buffer]) -> bytes:
        size = 0
        for part in parts:
            size += part.nbytes if isinstance(part, ndarray) else len(part)
        if size > self._most_bytes:
            text = f"Sent message larger than max ({size} vs. {self._most_bytes})"
            raise Ended(StatusCode.RESOURCE_EXHAUSTED, text)
        pieces: Any = (_UNCOMPRESSED, NUMBER.pack(size), *parts)  # arrays are buffers too
        return b"".join(pieces)
