"""H.264 access units to RTP packets (RFC 6184, one NAL unit per packet or FU-A)."""

import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit

PAYLOAD_TYPE = 96
_PAYLOAD_LIMIT_BYTES = 1400
_DELIMITER = b"\x09\xf0"
_FU_A = 28
_ORDERED_UNITS = 8  # so many in presentation order: no B pictures here
_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True)
class PacketGroup:
    """The RTP packets of one access unit."""

    packets: tuple[bytes, ...]
    sequence: int  # of the first packet
    rtp_time: int
    is_key: bool
    shown_at: float

    @cached_property
    def size_bytes(self) -> int:
        """Bytes of all packets."""
        return sum(map(len, self.packets))

    @cached_property
    def interleaved(self) -> bytes:
        """All packets framed for channel 0 of an RTSP connection."""
        return self.framed(0)

    def framed(self, channel: int) -> bytes:
        """Return all packets framed for a channel of an RTSP connection."""
        parts: list[bytes] = []
        for packet in self.packets:
            parts += (struct.pack("!cBH", b"$", channel, len(packet)), packet)
        return b"".join(parts)


class Packetiser:
    """One RTP packet sequence; several readers may share it.

    Args:
        with_delimiter: after every access unit send at once the delimiter that begins the next
            one, so that a reader whose parser waits for it has the picture now. It is stamped with
            the next unit's time, known or predicted: parsers take a unit's time from its first NAL.
    """

    def __init__(self, *, with_delimiter: bool) -> None:
        self.source_id = secrets.randbits(32)
        self._with_delimiter = with_delimiter
        self._next = secrets.randbits(15)
        self._offset = secrets.randbits(31) | 1
        self._last_ticks: int | None = None
        self._in_order = 0

    def packetise(self, unit: AccessUnit) -> PacketGroup:
        """Number and stamp the packets of the next unit."""
        first = self._next
        payloads = [payload for nal in unit.nals for payload in _payloads(nal)]
        rtp_time = self._rtp_time(unit.ticks)
        packets = [self._packet(payload, rtp_time) for payload in payloads[:-1]]
        packets.append(self._packet(payloads[-1], rtp_time, marker=True))
        next_ticks = self._next_ticks(unit)
        if self._with_delimiter and next_ticks is not None:
            packets.append(self._packet(_DELIMITER, self._rtp_time(next_ticks)))
        return PacketGroup(tuple(packets), first, rtp_time, unit.is_key, unit.shown_at)

    def _packet(self, payload: bytes, rtp_time: int, *, marker: bool = False) -> bytes:
        kind = PAYLOAD_TYPE | (0x80 if marker else 0)
        header = _HEADER.pack(0x80, kind, self._next, rtp_time, self.source_id)
        self._next = (self._next + 1) & 0xFFFF
        return header + payload

    def _rtp_time(self, ticks: int) -> int:
        return (self._offset + ticks) & 0xFFFFFFFF

    def _next_ticks(self, unit: AccessUnit) -> int | None:
        """Return when the next unit shows; None while B pictures make that a guess."""
        last, self._last_ticks = self._last_ticks, unit.ticks
        if last is None or not 0 < unit.ticks - last < CLOCK_HZ:
            self._in_order = 0
            return unit.next_ticks
        self._in_order += 1
        if unit.next_ticks is not None or self._in_order < _ORDERED_UNITS:
            return unit.next_ticks
        return 2 * unit.ticks - last


def _payloads(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= _PAYLOAD_LIMIT_BYTES:
        yield nal
        return
    indicator, kind = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F
    step = _PAYLOAD_LIMIT_BYTES - 2
    for start in range(1, len(nal), step):
        end = start + step
        edges = (0x80 if start == 1 else 0) | (0x40 if end >= len(nal) else 0)
        yield bytes((indicator, edges | kind)) + nal[start:end]
