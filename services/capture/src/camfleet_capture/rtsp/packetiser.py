"""Access units to RTP packets (RFC 3550), by the payload format of their codec."""

import secrets
import struct
from dataclasses import dataclass
from functools import cached_property

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.rtsp.payloads.table import PAYLOAD_FORMATS

_ORDERED_UNITS = 8  # so many in presentation order: no B pictures here
_MARKER = 0x80
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
        form = PAYLOAD_FORMATS[unit.codec]
        first, rtp_time = self._next, self._rtp_time(unit.ticks)
        payloads = list(form.split(unit))
        last = len(payloads) - 1
        packets = [
            self._packet(payload, rtp_time, form.PAYLOAD_TYPE | (_MARKER if n == last else 0))
            for n, payload in enumerate(payloads)
        ]
        next_ticks = self._next_ticks(unit)
        if self._with_delimiter and form.DELIMITER and packets and next_ticks is not None:
            packets.append(
                self._packet(form.DELIMITER, self._rtp_time(next_ticks), form.PAYLOAD_TYPE)
            )
        return PacketGroup(tuple(packets), first, rtp_time, unit.is_key, unit.shown_at)

    def _packet(self, payload: bytes, rtp_time: int, kind: int) -> bytes:
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
