"""Access units to RTP packets (RFC 3550), by the payload format of their codec."""

import secrets
import struct
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.rtsp.payloads.payload import Payload
from camfleet_capture.rtsp.payloads.table import PAYLOAD_FORMATS

_ORDERED_UNITS = 8  # so many in presentation order: no B pictures here
_MARKER = 0x80
_HEADER = struct.Struct("!cBHBBHII")  # of the frame in an RTSP connection, then of RTP
_FRAME_BYTES, _RTP_BYTES = 4, 12


@dataclass(frozen=True)
class PacketGroup:
    """The RTP packets of one access unit.

    Attributes:
        interleaved: all of them, framed for channel 0 of an RTSP connection.
        places: where in it each frame begins, and its end.
    """

    interleaved: bytes
    places: tuple[int, ...]
    sequence: int  # of the first packet
    rtp_time: int
    is_key: bool
    shown_at: float

    @property
    def count(self) -> int:
        """How many packets there are."""
        return len(self.places) - 1

    @property
    def octets(self) -> int:
        """Bytes of all payloads."""
        return len(self.interleaved) - self.count * (_FRAME_BYTES + _RTP_BYTES)

    @cached_property
    def packets(self) -> tuple[bytes, ...]:
        """The packets without frames, as datagrams hold them."""
        return tuple(
            self.interleaved[start + _FRAME_BYTES : end] for start, end in pairwise(self.places)
        )

    def framed(self, channel: int) -> bytes:
        """Return all packets framed for a channel of an RTSP connection."""
        if channel == 0:
            return self.interleaved
        framed = bytearray(self.interleaved)
        for start in self.places[:-1]:
            framed[start + 1] = channel
        return bytes(framed)


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
        parts: list[bytes | memoryview] = []
        places = [0]
        payloads = [*form.split(unit)]
        last = payloads.pop() if payloads else None
        for payload in payloads:
            self._add(parts, places, payload, rtp_time, form.PAYLOAD_TYPE)
        if last:
            self._add(parts, places, last, rtp_time, form.PAYLOAD_TYPE | _MARKER)
        next_ticks = self._next_ticks(unit)
        if self._with_delimiter and form.DELIMITER and last and next_ticks is not None:
            delimiter = b"", form.DELIMITER
            self._add(parts, places, delimiter, self._rtp_time(next_ticks), form.PAYLOAD_TYPE)
        whole = b"".join(parts)  # the one copy that is made of the picture
        return PacketGroup(whole, tuple(places), first, rtp_time, unit.is_key, unit.shown_at)

    def _add(
        self,
        parts: list[bytes | memoryview],
        places: list[int],
        payload: Payload,
        rtp_time: int,
        kind: int,
    ) -> None:
        """Put the next packet behind the others."""
        head, body = payload
        size = _RTP_BYTES + len(head) + len(body)
        sequence, source_id = self._next, self.source_id
        header = _HEADER.pack(b"$", 0, size, 0x80, kind, sequence, rtp_time, source_id)
        parts += (header, head, body)
        places.append(places[-1] + _FRAME_BYTES + size)
        self._next = (sequence + 1) & 0xFFFF

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
