"""Bytes of a connection cut into frames; the body of DATA goes on in pieces, without waiting."""

import time
from typing import Protocol

from camfleet_server.transports.http2.channels import Channel
from camfleet_server.transports.http2.frames import (
    DATA,
    FRAME_HEAD,
    FRAME_HEAD_BYTES,
    NUMBER_BITS,
    PADDED,
    PREFACE,
    ConnectionFault,
    ErrorCode,
    frame_head,
)
from camfleet_server.transports.http2.limits import Limits
from camfleet_server.transports.http2.runs import Run

_FIRST_BYTES, _MOST_BYTES = 1 << 14, 1 << 18
_BULK_BYTES = 1 << 10  # of a DATA frame; smaller ones may be of no use and are counted one by one
_RUN_BYTES = 1 << 15  # of a DATA frame; larger ones are received one by one
_ROOM_BYTES = 1 << 20  # of a message, at once
_NOT_HTTP2 = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"this port speaks gRPC (HTTP/2); REST has a port of its own\n"
)


class FrameReceiver(Protocol):
    """Takes frames in the order they came."""

    def begin(self) -> None:
        """Greet a peer that turned out to speak HTTP/2."""
        ...

    def begin_data(self, number: int, flags: int, size: int) -> None:
        """Take note of a DATA frame, or of several; `size` bytes count against the windows."""
        ...

    def room(self, most: int) -> memoryview | None:
        """Offer memory for the next bytes of the body, if they are wanted in some place."""
        ...

    def take_data(self, piece: memoryview) -> None:
        """Take some of the body; it may lie in the `room` for it already."""
        ...

    def end_data(self) -> None:
        """Learn that it is whole, and so are the others."""
        ...

    def take_frame(self, kind: int, flags: int, number: int, payload: memoryview) -> None:
        """Take any other frame."""
        ...


class Incoming:
    """The receiving side of one connection; it belongs to the thread that reads."""

    def __init__(self, channel: Channel, receiver: FrameReceiver, limits: Limits) -> None:
        self._channel = channel
        self._receiver = receiver
        self._longest = limits.frame_bytes
        self._longest_other = max(limits.header_bytes, _FIRST_BYTES)
        self._view = memoryview(bytearray(_FIRST_BYTES))
        self._have = 0
        self._run = Run()
        self._number, self._size = 0, 0  # of the last DATA frame
        self._body_left = 0  # of the DATA frame that is under way
        self._padding_left = 0
        self._in_data = False
        self.has_preface = False
        self.heard_at = time.monotonic()

    @property
    def is_amid_frame(self) -> bool:
        """Tell whether the rest of a frame is still to come, or the greeting in front of all."""
        return bool(self._have or self._in_data or not self.has_preface)

    def read(self) -> bool:
        """Wait for bytes once and pass on what they complete; False at the end.

        Raises:
            OSError: the connection is lost.
            ConnectionFault: the peer broke the protocol.
        """
        room = self._room()
        return self._read_frames() if room is None else self._read_body(room)

    def _room(self) -> memoryview | None:
        """Return memory of a large message that is under way, if the next bytes are of it."""
        if self._have or self._size < _BULK_BYTES:
            return None
        return self._receiver.room(_ROOM_BYTES)

    def _read_body(self, room: memoryview) -> bool:
        """Wait for more of a message, and receive it where it belongs: it is not copied then."""
        body = room[: self._body_left]
        parts = [body, self._view] if body else [self._view]
        has_run = self._size <= _RUN_BYTES and not self._padding_left
        if has_run:
            parts[-1:-1] = self._run.parts(room[len(body) :], self._size)
        count = self._channel.receive(parts)
        if not count:
            return False
        self.heard_at = time.monotonic()
        if body:
            count -= self._take_body(body[:count])
        if count and has_run:
            count = self._take_run(count)
        if count:
            self._have = count
            self._cut()
        return True

    def _take_body(self, body: memoryview) -> int:
        """Pass on what came of the frame that was under way."""
        self._receiver.take_data(body)
        self._body_left -= len(body)
        self._pass_data(0, 0)  # in case that was the last of it
        return len(body)

    def _take_run(self, count: int) -> int:
        """Pass on the frames that came as expected; returns how much is in view of the rest."""
        run, size = self._run, self._size
        frames = run.take(count, frame_head(size, DATA, 0, self._number))
        if frames:
            self._receiver.begin_data(self._number, 0, frames * size)
            self._receiver.take_data(run.bodies(frames))
            self._receiver.end_data()
        rest = run.rest(frames, count)
        return self._put_first(rest, count - frames * (FRAME_HEAD_BYTES + size) - len(rest))

    def _put_first(self, data: bytes, have: int) -> int:
        """Put bytes before those in view; returns how many these are then."""
        if data:
            end = len(data) + have
            view = self._view
            if end > len(view):
                self._view = memoryview(bytearray(end))
            self._view[len(data) : end] = view[:have]
            self._view[: len(data)] = data
        return len(data) + have

    def _read_frames(self) -> bool:
        free = self._view[self._have :]
        count = self._channel.receive((free,))
        if not count:
            return False
        self.heard_at = time.monotonic()  # before anybody can see that a frame has begun
        self._have += count
        if self.has_preface or self._take_preface():
            self._cut()
        if count == len(free) and self._room() is None:
            self._grow()
        return True

    def _take_preface(self) -> bool:
        begin = bytes(self._view[: min(self._have, len(PREFACE))])
        if not PREFACE.startswith(begin):
            self._channel.send(_NOT_HTTP2)
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no HTTP/2")
        if self._have < len(PREFACE):
            return False
        self.has_preface = True
        self._receiver.begin()
        self._keep(len(PREFACE), self._have)
        return True

    def _cut(self) -> None:
        """Pass on every frame that is whole, and of DATA what is there."""
        end = self._have
        at = 0
        while True:
            if self._in_data:
                at = self._pass_data(at, end)
                if self._in_data:
                    break
            if end - at < FRAME_HEAD_BYTES:
                break
            after = self._pass_frame(at, end)
            if after == at:
                break
            at = after
        if at:
            self._keep(at, end)

    def _pass_frame(self, at: int, end: int) -> int:
        """Begin with DATA, or pass on another frame that is whole; returns what comes next."""
        head: tuple[int, int, int, int, int] = FRAME_HEAD.unpack_from(self._view, at)
        high, low, kind, flags, number = head
        size, body = high << 8 | low, at + FRAME_HEAD_BYTES
        number &= NUMBER_BITS
        if kind == DATA:
            if size > self._longest:
                text = f"a DATA frame of {size} bytes"
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, text)
            if not flags & PADDED and end - body >= size:
                return self._pass_whole(number, flags, size, at, end)
            if flags & PADDED and end == body:
                return at
            return self._begin_data(number, flags, size, body)
        if size > self._longest_other:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {size} bytes")
        if end - body < size:
            return at
        self._receiver.take_frame(kind, flags, number, self._view[body : body + size])
        return body + size

    def _pass_whole(self, number: int, flags: int, size: int, at: int, end: int) -> int:
        """Pass on a DATA frame that is there and, of a large body, those like it behind it."""
        view, step = self._view, FRAME_HEAD_BYTES + size
        after = at + step
        if size >= _BULK_BYTES and not flags:
            head = view[at : at + FRAME_HEAD_BYTES]
            while end - after >= step and view[after : after + FRAME_HEAD_BYTES] == head:
                after += step
        self._number, self._size = number, size
        self._receiver.begin_data(number, flags, (after - at) // step * size)
        if size:
            for body in range(at + FRAME_HEAD_BYTES, after, step):
                self._receiver.take_data(view[body : body + size])
        self._receiver.end_data()
        return after

    def _begin_data(self, number: int, flags: int, size: int, at: int) -> int:
        """Take note of a DATA frame; returns where its body begins."""
        self._receiver.begin_data(number, flags, size)
        self._number, self._size = number, size
        self._in_data = True
        self._body_left, self._padding_left = size, 0
        if flags & PADDED:
            padding = self._view[at] if size else 0
            if padding >= size:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "more padding than frame")
            self._body_left, self._padding_left = size - 1 - padding, padding
            at += 1
        return at

    def _pass_data(self, at: int, end: int) -> int:
        """Pass on what is there of a DATA frame; returns where the next one begins."""
        body = min(self._body_left, end - at)
        if body:
            self._receiver.take_data(self._view[at : at + body])
            self._body_left -= body
            at += body
        if self._body_left:
            return at
        padding = min(self._padding_left, end - at)
        self._padding_left -= padding
        if not self._padding_left:
            self._in_data = False
            self._receiver.end_data()
        return at + padding

    def _keep(self, at: int, end: int) -> None:
        """Move what is left to the front."""
        left = end - at
        if left:
            self._view[:left] = self._view[at:end]
        self._have = left

    def _grow(self) -> None:
        """Make room for more at once, for peers that have a lot to say."""
        size = len(self._view)
        if size < _MOST_BYTES:
            larger = memoryview(bytearray(min(4 * size, _MOST_BYTES)))
            larger[: self._have] = self._view[: self._have]
            self._view = larger
