"""What a connection sends: frames in whole, within the windows the peer has opened.

Any thread may send. What a window does not let through stays in the outbox of its exchange and
goes as soon as the peer opens the window, in the thread that reads this.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from camfleet_server.transports.http2.channels import Channel
from camfleet_server.transports.http2.exchange import Exchange
from camfleet_server.transports.http2.frames import (
    DATA,
    DEFAULT_FRAME_BYTES,
    DEFAULT_WINDOW,
    LARGEST_WINDOW,
    ConnectionFault,
    ErrorCode,
    frame_head,
    reset,
    window_update,
)

_BATCH_BYTES = 1 << 18  # given to the socket at once
_PATIENCE_S = 0.01
_FULL_BYTES = 1 << 20  # in the outbox of an exchange: who has more to say waits


class Part(NamedTuple):
    """What waits in an outbox."""

    body: memoryview
    after: bytes  # the frames that end the exchange, or none


class Outgoing:
    """The sending side of one connection."""

    def __init__(self, channel: Channel) -> None:
        self.exchanges: dict[int, Exchange] = {}  # that are not over, by number
        self.lock = threading.RLock()
        self.room = threading.Condition(self.lock)
        self.granted_at = 0.0  # when a peer that had to wait last was let on
        self._channel = channel
        self._window = DEFAULT_WINDOW
        self._frame_bytes = DEFAULT_FRAME_BYTES
        self._held: dict[Exchange, None] = {}  # those with an outbox, in turns

    def send(self, frames: bytes) -> None:
        """Send frames that no window holds up."""
        with self.lock:
            self._write(frames)

    def send_if_free(self, frames: Callable[[], bytes]) -> None:
        """Send short frames unless a peer that reads nothing holds up whoever sends."""
        if self.lock.acquire(timeout=_PATIENCE_S):
            try:
                if self._channel.has_room():
                    self._write(frames())
            finally:
                self.lock.release()

    def answer(self, exchange: Exchange, before: bytes, body: bytes, after: bytes) -> int:
        """Send headers, some of the body and, if any, the trailers that end the exchange.

        Returns how many bytes wait for the peer to open a window.
        """
        size = len(body)
        ended: list[Callable[[], None]] = []
        with self.lock:
            if exchange.is_over:
                return 0
            if after and not exchange.has_whole_request:  # the rest need not come
                after += reset(exchange.number, ErrorCode.NO_ERROR)
            if exchange.outbox or size > min(self._window, exchange.window, self._frame_bytes):
                self._write(before)
                exchange.outbox.append(Part(memoryview(body), after))
                self._held[exchange] = None
                ended = self._flush(exchange)
            else:
                self._window -= size
                exchange.window -= size
                head = frame_head(size, DATA, 0, exchange.number) if size else b""
                self._write(b"".join((before, head, body, after)))
                if after:
                    ended = exchange.finish()
            waiting = _waiting(exchange)
        for callback in ended:
            callback()
        return waiting

    def end(self, exchange: Exchange, last: bytes) -> None:
        """Send what ends an exchange, behind all that waits in its outbox."""
        self.answer(exchange, b"", b"", last)

    def cancel(self, exchange: Exchange, code: ErrorCode) -> None:
        """End an exchange at once, whatever waits."""
        with self.lock:
            self._held.pop(exchange, None)
            if not exchange.is_over:
                self._write(reset(exchange.number, code))
        exchange.end()

    def wait_for_room(self, exchange: Exchange) -> None:
        """Wait while a lot of what the exchange said has not been let through."""
        if not exchange.outbox:
            return
        with self.lock:
            self.room.wait_for(lambda: exchange.is_over or _waiting(exchange) < _FULL_BYTES)

    def grant(self, exchange: Exchange, window_bytes: int) -> None:
        """Let the peer send on, once half of the window is used up."""
        with self.lock:
            missing = exchange.received + window_bytes - exchange.granted
            if missing >= window_bytes // 2 and not exchange.is_over:
                self.granted_at = time.monotonic()
                exchange.granted += missing
                self._write(window_update(exchange.number, missing))

    def open_window(self, exchange: Exchange | None, increment: int) -> bool:
        """Take note that the peer lets more through, on one exchange or on the whole connection.

        False when that is more than there can be.
        """
        with self.lock:
            if exchange is None:
                self._window += increment
                is_valid = self._window <= LARGEST_WINDOW
                ended = self._flush_held() if is_valid else []
            else:
                exchange.window += increment
                is_valid = exchange.window <= LARGEST_WINDOW
                ended = self._flush(exchange) if is_valid else []
        for callback in ended:
            callback()
        return is_valid

    def shift_windows(self, difference: int) -> None:
        """Take note that the peer changed the window every exchange began with; sends nothing.

        Raises:
            ConnectionFault: a window would be larger than there can be.
        """
        with self.lock:
            for exchange in self.exchanges.values():
                exchange.window += difference
                if exchange.window > LARGEST_WINDOW:
                    raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31-1")

    def flush(self) -> None:
        """Send what windows that were shifted let through."""
        with self.lock:
            ended = self._flush_held()
        for callback in ended:
            callback()

    def set_frame_bytes(self, size: int) -> None:
        """Take note of the longest frame the peer reads."""
        with self.lock:
            self._frame_bytes = size

    def drop(self, exchange: Exchange) -> None:
        """Take note that the peer wants no more of an exchange."""
        with self.lock:
            self._held.pop(exchange, None)
        exchange.end()

    def _flush_held(self) -> list[Callable[[], None]]:
        """Send what may go; returns what is to be run of the exchanges that were ended by it."""
        return [ended for exchange in list(self._held) for ended in self._flush(exchange)]

    def _flush(self, exchange: Exchange) -> list[Callable[[], None]]:
        """Send what may go of one outbox; returns what is to be run if that was its end."""
        outbox = exchange.outbox
        while outbox:
            body, after = outbox[0]
            size = max(0, min(len(body), self._window, exchange.window))
            self._write_body(exchange.number, body[:size], after if size == len(body) else b"")
            self._window -= size
            exchange.window -= size
            if size < len(body):
                outbox[0] = Part(body[size:], after)
                return []
            outbox.popleft()
            self.room.notify_all()
            if after:
                self._held.pop(exchange, None)
                return exchange.finish()
        self._held.pop(exchange, None)
        return []

    def _write_body(self, number: int, body: memoryview, after: bytes) -> None:
        parts: list[bytes | memoryview] = []
        waiting = 0
        for at in range(0, len(body), self._frame_bytes):
            piece = body[at : at + self._frame_bytes]
            parts += (frame_head(len(piece), DATA, 0, number), piece)
            waiting += len(piece)
            if waiting >= _BATCH_BYTES:
                self._write(b"".join(parts))
                parts.clear()
                waiting = 0
        if after:
            parts.append(after)
        if parts:
            self._write(b"".join(parts))

    def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            self._channel.send(data)
        except OSError:
            self._channel.cut()  # who reads learns it and ends what is open


def _waiting(exchange: Exchange) -> int:
    return sum(len(part.body) for part in exchange.outbox)
