"""Frames come out as they were put in, wherever the bytes were cut on their way."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from camfleet_server.transports.http2 import incoming
from camfleet_server.transports.http2.frames import (
    DATA,
    END_STREAM,
    PADDED,
    PING,
    PREFACE,
    ConnectionFault,
    ErrorCode,
    frame,
)
from camfleet_server.transports.http2.incoming import Incoming
from camfleet_server.transports.http2.limits import Limits
from http2_peer import spread

BULK = 2000  # bytes of a body that is cut into equal frames
LARGEST = 1 << 17
ROOM = 50_000


class CutChannel:
    """Gives bytes in pieces of chosen sizes."""

    descriptor = None

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = data
        self._sizes = sizes

    def open(self) -> None: ...

    def receive(self, parts: Sequence[memoryview]) -> int:
        most = sum(map(len, parts))
        size = min(most, self._sizes.pop() if self._sizes else most)
        piece, self._data = self._data[:size], self._data[size:]
        return spread(piece, parts)

    def send(self, data: bytes) -> None: ...

    def has_bytes(self) -> bool:
        return bool(self._data)

    def has_room(self) -> bool:
        return True

    def finish(self) -> None: ...

    def cut(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class Heard:
    """Notes what came: bodies of DATA in a row on one stream as one, other frames by themselves."""

    said: list[tuple[int, int, bytes]] = field(default_factory=list)  # kind or flags, number, body
    counted: dict[int, int] = field(default_factory=dict)
    has_room: bool = False
    in_place: int = 0  # pieces that were received where they belong
    _room: memoryview = field(default_factory=lambda: memoryview(b""))
    _under_way: tuple[int, int] | None = None
    _body: bytes = b""

    def begin(self) -> None: ...

    def begin_data(self, number: int, flags: int, size: int) -> None:
        assert self._under_way is None
        self._under_way = number, flags & END_STREAM
        self.counted[number] = self.counted.get(number, 0) + size
        self._body = b""

    def room(self, most: int) -> memoryview | None:
        if not self.has_room:
            return None
        self._room = memoryview(bytearray(min(most, ROOM)))
        return self._room

    def take_room(self) -> bytearray:
        """Give up the memory that was offered last."""
        room, self._room = self._room, memoryview(b"")
        assert isinstance(room.obj, bytearray)
        return room.obj

    def take_data(self, piece: memoryview) -> None:
        assert piece
        self.in_place += piece.obj is self._room.obj
        self._body += bytes(piece)

    def end_data(self) -> None:
        assert self._under_way is not None
        number, flags = self._under_way
        last = self.said[-1] if self.said else None
        if last is not None and last[:2] == (0, number):
            self.said[-1] = (flags, number, last[2] + self._body)
        else:
            self.said.append((flags, number, self._body))
        self._under_way = None

    def take_frame(self, kind: int, _: int, number: int, payload: memoryview) -> None:
        self.said.append((kind, number, bytes(payload)))


def heard(data: bytes, sizes: list[int], *, has_room: bool = False) -> Heard:
    receiver = Heard(has_room=has_room)
    channel = CutChannel(PREFACE + data, sizes)
    reading = Incoming(channel, receiver, Limits(frame_bytes=LARGEST))
    while reading.read():
        pass
    assert not reading.is_amid_frame
    return receiver


def padded(number: int, body: bytes, padding: int, flags: int = 0) -> bytes:
    return frame(DATA, flags | PADDED, number, bytes((padding,)) + body + bytes(padding))


def equal_frames(number: int, body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    flags = [0] * (len(pieces) - 1) + [END_STREAM]
    return b"".join(frame(DATA, f, number, p) for f, p in zip(flags, pieces, strict=True))


def conversation(chance: random.Random) -> bytes:
    """Frames of three streams: runs of equal ones, small, empty and padded ones, pings between."""
    said = b""
    for _ in range(40):
        number, size = chance.choice((1, 3, 5)), chance.choice((0, 1, 1023, 1024, BULK))
        body = chance.randbytes(size)
        said += chance.choice(
            (
                b"".join(
                    frame(DATA, 0, number, chance.randbytes(size))
                    for _ in range(chance.randrange(1, 9))
                ),
                padded(number, body, chance.randrange(200)),
                frame(DATA, 0x4, number, body),  # a flag nobody knows
                frame(PING, 0, 0, bytes(8)),
            )
        )
    return said


@pytest.mark.parametrize("seed", range(30))
def test_cuts_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    said = conversation(chance)
    at_once = heard(said, [])
    steps = (1, 8, 9, 10, 700, BULK + 8, BULK + 9, 16_000)
    odd = heard(said, [chance.choice(steps) for _ in range(len(said))])
    assert (odd.said, odd.counted) == (at_once.said, at_once.counted)


@pytest.mark.parametrize("seed", range(10))
def test_large_frames_are_received_where_they_belong(seed: int) -> None:
    chance = random.Random(seed)
    bodies = [chance.randbytes(chance.choice((100, 40_000, 100_000, LARGEST))) for _ in range(8)]
    said = b"".join(
        chance.choice((frame(DATA, 0, 1, body), frame(PING, 0, 0, body[:8])))
        + padded(3, body[: LARGEST - 256], chance.randrange(200))
        for body in bodies
    )
    steps = (1, 9, 500, 16_000, 1 << 16)
    sizes = [chance.choice(steps) for _ in range(len(said))]
    there = heard(said, sizes, has_room=True)
    assert there.in_place
    assert (there.said, there.counted) == (heard(said, []).said, heard(said, []).counted)


@pytest.mark.parametrize("seed", range(30))
def test_runs_of_equal_frames_are_received_where_they_belong(seed: int) -> None:
    chance = random.Random(seed)
    said = b"".join(
        chance.choice(
            (
                frame(DATA, 0, 1, bytes(1023)) + frame(PING, 0, 0, bytes(8)),
                padded(3, chance.randbytes(BULK), 7) + frame(DATA, 0, 3, chance.randbytes(BULK)),
                equal_frames(5, chance.randbytes(chance.randrange(20 * BULK)), BULK),
                equal_frames(7, chance.randbytes(70_000), 16_384),
                frame(DATA, 0, 9, chance.randbytes(40_000)),
            )
        )
        for _ in range(40)
    )
    steps = (1, 8, 9, 10, BULK + 8, BULK + 9, 3 * BULK, 16_393, 50_000, 1 << 18)
    there = heard(said, [chance.choice(steps) for _ in range(500)], has_room=True)
    assert there.in_place
    assert (there.said, there.counted) == (heard(said, []).said, heard(said, []).counted)


def test_nothing_of_a_message_is_kept_once_it_is_whole() -> None:
    receiver = Heard(has_room=True)
    said = equal_frames(1, bytes(20 * BULK), BULK)
    reading = Incoming(CutChannel(PREFACE + said, [3 * BULK]), receiver, Limits())
    assert reading.read()
    assert reading.read()
    assert receiver.in_place
    receiver.take_room().clear()  # a BufferError where anybody still looks at it


def test_streams_that_take_turns_are_kept_apart() -> None:
    bodies = {number: random.Random(number).randbytes(50 * BULK) for number in (1, 3)}
    said = b"".join(
        frame(DATA, 0, number, body[at : at + BULK])
        for at in range(0, 50 * BULK, BULK)
        for number, body in bodies.items()
    )
    receiver = heard(said, [], has_room=True)
    for number, body in bodies.items():
        assert b"".join(part for _, of, part in receiver.said if of == number) == body


def test_a_body_in_equal_frames_comes_whole() -> None:
    body = random.Random(1).randbytes(10 * BULK + 7)
    for first in range(1, 2 * BULK, 37):
        receiver = heard(equal_frames(1, body, BULK), [first + len(PREFACE)])
        assert receiver.said == [(END_STREAM, 1, body)]
        assert receiver.counted == {1: len(body)}


def test_equal_frames_are_passed_on_together(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    monkeypatch.setattr(Heard, "begin_data", lambda _, __, ___, size: begun.append(size))
    monkeypatch.setattr(Heard, "end_data", lambda _: None)
    heard(equal_frames(1, bytes(5 * BULK), BULK), [])
    assert begun == [4 * BULK, BULK]


@pytest.mark.parametrize("size", [0, incoming._BULK_BYTES - 1])
def test_frames_that_may_be_of_no_use_are_counted_one_by_one(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    begun: list[int] = []
    monkeypatch.setattr(Heard, "begin_data", lambda _, __, ___, size: begun.append(size))
    monkeypatch.setattr(Heard, "end_data", lambda _: None)
    heard(frame(DATA, 0, 1, bytes(size)) * 5, [])
    assert begun == [size] * 5


def test_equal_frames_that_end_a_stream_are_not_taken_for_one() -> None:
    twice = frame(DATA, END_STREAM, 1, bytes(BULK)) * 2
    assert heard(twice, []).said == [(END_STREAM, 1, bytes(BULK))] * 2


@pytest.mark.parametrize("flags", [0, PADDED, END_STREAM])
def test_frames_above_the_bound_are_refused_though_they_are_there(flags: int) -> None:
    with pytest.raises(ConnectionFault) as caught:
        heard(frame(DATA, 0, 1, bytes(LARGEST)) * 2 + frame(DATA, flags, 1, bytes(LARGEST + 1)), [])
    assert caught.value.code is ErrorCode.FRAME_SIZE_ERROR
