"""Header blocks: read through hpack once, then known by their bytes; written as plain literals."""

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from hpack import Decoder, HPACKError, OversizedHeaderListError

from camfleet_server.transports.http2.frames import (
    PADDED,
    PRIORITY_BYTES,
    WITH_PRIORITY,
    ConnectionFault,
    ErrorCode,
    protocol_fault,
)
from camfleet_server.transports.http2.limits import Limits

LARGEST_LIST_BYTES = 16_384  # as gRPC's own servers
_MORE, _BITS = 0x80, 7
_SEVEN_BITS, _LITERAL = 0x7F, b"\x00"
_REMEMBERED = 64  # blocks of one connection
_LONGEST_REMEMBERED = 1024

_Read = TypeVar("_Read")
_Mark: TypeAlias = tuple[int, int, object]


class HeaderBlocks(Generic[_Read]):
    """Decodes the blocks of one connection, in the order they came.

    A client repeats the same block on every call once its table knows the fields. What a block says
    depends on that table alone, so what was made of it holds until the table changes.
    """

    def __init__(self, read: Callable[[list[tuple[str, str]]], _Read]) -> None:
        self._read = read
        self._decoder = Decoder(max_header_list_size=LARGEST_LIST_BYTES)
        self._known: dict[bytes, _Read] = {}

    def decode(self, block: bytes) -> _Read:
        """Return what `read` made of the fields; it is shared and must not be changed.

        Raises:
            ConnectionFault: the block cannot be decoded, and so no later one could.
        """
        known = self._known.get(block)
        return self._decode(block) if known is None else known

    def _decode(self, block: bytes) -> _Read:
        before = self._table_mark()  # holds its newest entry, so that none can look the same
        try:
            fields = [(str(name), str(value)) for name, value in self._decoder.decode(block)]
        except OversizedHeaderListError as error:
            text = f"more than {LARGEST_LIST_BYTES} bytes of header fields"
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, text) from error
        except (HPACKError, IndexError) as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "bad header block") from error
        made = self._read(fields)
        if not _is_same(self._table_mark(), before):
            self._known.clear()
        elif len(block) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[block] = made
        return made

    def _table_mark(self) -> _Mark:
        table = self._decoder.header_table
        entries = table.dynamic_entries
        return table.maxsize, len(entries), entries[0] if entries else None


def _is_same(after: _Mark, before: _Mark) -> bool:
    """Tell whether a table is unchanged: every change adds an entry in front, or drops some."""
    return after[:2] == before[:2] and after[2] is before[2]


class OpenBlock:
    """A header block of which frames are still to come."""

    def __init__(self, number: int, flags: int, first: bytes) -> None:
        self.number = number
        self.flags = flags
        self._pieces = [first]
        self._size = len(first)

    def add(self, piece: bytes, limits: Limits) -> None:
        """Take the next frame of it.

        Raises:
            ConnectionFault: it is too long, or cut into too many.
        """
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > limits.header_bytes or len(self._pieces) > limits.header_frames:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "an endless header block")

    def joined(self) -> bytes:
        """Return the whole block."""
        return b"".join(self._pieces)


def without_extras(flags: int, payload: memoryview) -> memoryview:
    """Take padding and priority off a HEADERS frame.

    Raises:
        ConnectionFault: it is shorter than they are.
    """
    begin, end = 0, len(payload)
    if flags & PADDED:
        begin, end = 1, end - (payload[0] if payload else 1)
    if flags & WITH_PRIORITY:
        begin += PRIORITY_BYTES
    if begin > end:
        raise protocol_fault("more padding than frame")
    return payload[begin:end]


def literal(name: bytes, value: bytes) -> bytes:
    """Write one field without the table, which then need not be kept."""
    return _LITERAL + _integer(len(name)) + name + _integer(len(value)) + value


def _integer(number: int) -> bytes:
    if number < _SEVEN_BITS:
        return bytes((number,))
    out = bytearray((_SEVEN_BITS,))
    number -= _SEVEN_BITS
    while number >= _MORE:
        out.append(number & _SEVEN_BITS | _MORE)
        number >>= _BITS
    out.append(number)
    return bytes(out)
