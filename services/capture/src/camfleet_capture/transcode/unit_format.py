"""Access units as bytes on a pipe between two processes of one machine."""

import struct

from camfleet_capture.access_unit import AccessUnit, CodecName
from camfleet_capture.codecs.nal import split_start_codes

_CODECS: tuple[CodecName, ...] = ("h264", "h265", "mjpeg")
_HEAD = struct.Struct("<B?qdI")  # codec, key, ticks, shown at, size
HEAD_BYTES = _HEAD.size


def format_unit(unit: AccessUnit) -> bytes:
    """Return head and picture."""
    coded = unit.coded()
    number = _CODECS.index(unit.codec)
    return _HEAD.pack(number, unit.is_key, unit.ticks, unit.shown_at, len(coded)) + coded


def size_of(head: bytes) -> int:
    """Return how many bytes follow the head."""
    return int(_HEAD.unpack(head)[4])


def parse_unit(head: bytes, coded: bytes) -> AccessUnit:
    """Return the unit again."""
    number, is_key, ticks, shown_at, _ = _HEAD.unpack(head)
    codec = _CODECS[number]
    nals = (coded,) if codec == "mjpeg" else tuple(split_start_codes(coded))
    return AccessUnit(nals, is_key, ticks, shown_at, codec=codec)
