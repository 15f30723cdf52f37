"""Reads the fields of a protobuf message without its classes (the wire format is public)."""

from collections.abc import Iterator
from pathlib import Path

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_MOST_BYTES = 10  # of a varint
_LONGEST_PART = 1 << 20


class BadMessage(ValueError):
    """These bytes are no protobuf message."""


def fields_of(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field: varints as int, everything else as bytes.

    Raises:
        BadMessage: the bytes end within a field, or are of no known number or kind.
    """
    place = 0
    while place < len(message):
        number, kind, place = _tag(message, place, place)
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(message, place)
        else:
            size = _SIZES[kind]
        if place + size > len(message):
            raise BadMessage(f"cut off at byte {place} of {len(message)}")
        yield number, message[place : place + size]
        place += size


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the parts of a message under a field number."""
    for found, value in fields_of(message):
        if found == number and isinstance(value, memoryview):
            yield value


def text_of(message: memoryview, number: int) -> str:
    """Return the text under a field number, "" where there is none."""
    return next((bytes(value).decode(errors="replace") for value in messages(message, number)), "")


def number_of(message: memoryview, number: int) -> int | None:
    """Return the number under a field number, None where there is none."""
    values = (value for found, value in fields_of(message) if found == number)
    return next((value for value in values if isinstance(value, int)), None)


def parts_of_file(path: Path, number: int) -> Iterator[memoryview]:
    """Yield the parts of a file under a field number; what is between them is not read.

    Raises:
        BadMessage: the file is no message, or such a part is longer than a megabyte.
        OSError: it cannot be read.
    """
    place, end = 0, path.stat().st_size
    with path.open("rb") as file:
        while place < end:
            file.seek(place)
            head = memoryview(file.read(2 * _MOST_BYTES))
            found, kind, size_at = _tag(head, 0, place)
            size, start = _varint(head, size_at) if kind in {_VARINT, _BYTES} else (0, size_at)
            skipped = size if kind == _BYTES else _SIZES.get(kind, 0)
            if kind == _BYTES and found == number:
                if size > _LONGEST_PART:
                    raise BadMessage(f"{size} bytes at byte {place}")
                file.seek(place + start)
                yield memoryview(file.read(size))
            place += start + skipped


def _tag(message: memoryview, place: int, told_place: int) -> tuple[int, int, int]:
    """Number and kind of a field, and where what follows begins; zeros are none."""
    tag, after = _varint(message, place)
    number, kind = tag >> 3, tag & 7
    if number == 0:
        raise BadMessage(f"a field of number 0 at byte {told_place}")
    if kind not in {_VARINT, _BYTES, *_SIZES}:
        raise BadMessage(f"a field of kind {kind} at byte {told_place}")
    return number, kind, after


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for i in range(_MOST_BYTES):
        if place + i >= len(message):
            break
        byte = message[place + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return value, place + i + 1
    raise BadMessage(f"no number at byte {place}")
