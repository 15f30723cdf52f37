"""The messages inside a gRPC request: put together from pieces, and unpacked where compressed."""

import zlib
from typing import Any, Final, Protocol

import numpy as np

from camfleet_contracts.wire import Data
from camfleet_server.transports.grpc.status import Ended, StatusCode

PREFIX_BYTES: Final = 5

CUT: Final = "the request ended in the middle of a message"
COUNTED_BYTES: Final = 1 << 18  # of a message that comes, at once


class Hand(Protocol):
    """Counts the bytes of one request that have come and that nobody answers yet."""

    def take(self, size_bytes: int) -> None:
        """Count more of them; raises `Ended` if there are too many in hand."""
        ...

    def let_go(self) -> None:
        """Count none of them any more: whoever answers the message counts it now."""
        ...


_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class MessageReader:
    """Puts the messages of one request together."""

    __slots__ = (
        "_counted",
        "_encoding",
        "_filled",
        "_hand",
        "_is_compressed",
        "_limit",
        "_message",
        "_prefix",
    )

    def __init__(
        self, limit_bytes: int, encoding: str = "identity", hand: Hand | None = None
    ) -> None:
        self._limit = limit_bytes
        self._encoding = encoding
        self._hand = hand
        self._counted = 0  # bytes of the message under way that are in hand
        self._prefix = b""  # as far as it came
        self._message: memoryview | None = None  # that is under way
        self._filled = 0
        self._is_compressed = False

    @property
    def is_amid_message(self) -> bool:
        """Tell whether the rest of a message is still to come."""
        return bool(self._prefix) or self._message is not None

    def room(self, most: int) -> memoryview | None:
        """Offer where the next bytes of a message belong: from there they are taken uncopied."""
        message = self._message
        return None if message is None else message[self._filled : self._filled + most]

    def take(self, piece: memoryview) -> list[Data]:
        """Take some of the body; returns the messages that became whole.

        Raises:
            Ended: a message is too large, or cannot be unpacked.
        """
        whole: list[Data] = []
        while piece:
            read_on = self._begin if self._message is None else self._fill
            piece = read_on(piece, whole)
        return whole

    def _begin(self, piece: memoryview, whole: list[Data]) -> memoryview:
        """Read the prefix of a message, and the message where it is all there."""
        if self._prefix or len(piece) < PREFIX_BYTES:
            return self._gather_prefix(piece, whole)
        size = int.from_bytes(piece[1:PREFIX_BYTES], "big")
        end = PREFIX_BYTES + size
        self._check(piece[0], size)
        if end <= len(piece):
            self._pass_on(bytes(piece[PREFIX_BYTES:end]), whole)
            return piece[end:]
        self._make_room(size)
        return piece[PREFIX_BYTES:]

    def _gather_prefix(self, piece: memoryview, whole: list[Data]) -> memoryview:
        missing = PREFIX_BYTES - len(self._prefix)
        self._prefix += bytes(piece[:missing])
        if len(self._prefix) == PREFIX_BYTES:
            flag, size = self._prefix[0], int.from_bytes(self._prefix[1:], "big")
            self._prefix = b""
            self._check(flag, size)
            if size:
                self._make_room(size)
            else:
                self._pass_on(b"", whole)
        return piece[missing:]

    def _check(self, flag: int, size: int) -> None:
        if size > self._limit:
            text = f"Received message larger than max ({size} vs. {self._limit})"
            raise Ended(StatusCode.RESOURCE_EXHAUSTED, text)
        if flag > 1 or (flag and self._encoding not in _WINDOWS):
            text = "a message is compressed, and grpc-encoding does not say how"
            raise Ended(StatusCode.INTERNAL, text)
        self._is_compressed = bool(flag)

    def _make_room(self, size: int) -> None:
        """Take memory for a message; it is the system's until bytes come to fill it."""
        self._message = memoryview(np.empty(size, np.uint8).data)
        self._filled = 0

    def _fill(self, piece: memoryview, whole: list[Data]) -> memoryview:
        message: Any = self._message
        taken = min(len(piece), len(message) - self._filled)
        message[self._filled : self._filled + taken] = piece[:taken]  # nothing if it is there
        self._filled += taken
        if self._filled - self._counted >= COUNTED_BYTES:
            self._count(self._filled - self._counted)
        if self._filled == len(message):
            self._message = None
            self._pass_on(message, whole)
        return piece[taken:]

    def _count(self, size: int) -> None:
        if self._hand is not None:
            self._hand.take(size)
            self._counted += size

    def _pass_on(self, message: Data, whole: list[Data]) -> None:
        whole.append(self._unpacked(message) if self._is_compressed else message)
        if self._hand is not None and self._counted:
            self._hand.let_go()
            self._counted = 0

    def _unpacked(self, message: Data) -> Data:
        """Unpack in pieces that are counted as they come: a small message may become a huge one."""
        unpacking = zlib.decompressobj(_WINDOWS[self._encoding])
        data = bytearray()
        packed: Data = message
        try:
            while (room := self._limit + 1 - len(data)) and (
                piece := unpacking.decompress(packed, min(room, COUNTED_BYTES))
            ):
                self._count(len(piece))
                data += piece
                packed = unpacking.unconsumed_tail
        except zlib.error as error:
            text = f"a message is not valid {self._encoding}: {error}"
            raise Ended(StatusCode.INTERNAL, text) from error
        if len(data) > self._limit:
            text = f"Received message larger than max ({len(data)} vs. {self._limit})"
            raise Ended(StatusCode.RESOURCE_EXHAUSTED, text)
        if not unpacking.eof:
            raise Ended(StatusCode.INTERNAL, f"a message is not valid {self._encoding}: it is cut")
        return memoryview(data)
