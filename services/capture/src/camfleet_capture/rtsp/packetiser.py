"""Access units to RTP packets (RFC 3550), by the payload format of their codec."""

import secrets
import struct
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.rtsp.payloads.payload import PayloadFormat
from camfleet_capture.rtsp.payloads.table import PAYLOAD_FORMATS

_ORDERED_UNITS = 8  # so many in presentation order: no B pictures here
_REMEMBERED_STEPS = 16  # about a second
_MARKER = 0x80
_HEADER = struct.Struct("!cBHBBHII")  # of the frame in an RTSP connection, then of RTP
_FRAME_BYTES, _RTP_BYTES = 4, 12
_RUN_LIMIT = 16


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

    @cached_property
    def runs(self) -> tuple[tuple[bytes, int], ...]:
        """The packets one behind the other, and the size of all but the last in each run."""
        runs: list[list[bytes]] = []
        for packet in self.packets:
            if not runs or not _continues(runs[-1], packet):
                runs.append([])
            runs[-1].append(packet)
        return tuple((b"".join(run), len(run[0])) for run in runs)

    def framed(self, channel: int) -> bytes:
        """Return all packets framed for a channel of an RTSP connection."""
        if channel == 0:
            return self.interleaved
        framed = bytearray(self.interleaved)
        for start in self.places[:-1]:
            framed[start + 1] = channel
        return bytes(framed)


def _continues(run: list[bytes], packet: bytes) -> bool:
    """Tell whether a run of equal sizes, of which the last may be smaller, can go on with it."""
    return len(run[-1]) == len(run[0]) >= len(packet) and len(run) < _RUN_LIMIT


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
        self._steps: deque[int] = deque(maxlen=_REMEMBERED_STEPS)

    def packetise(self, unit: AccessUnit) -> PacketGroup:
        """Number and stamp the packets of the next unit."""
        form = PAYLOAD_FORMATS[unit.codec]
        first, rtp_time = self._next, self._rtp_time(unit.ticks)
        pack, source_id, sequence = _HEADER.pack, self.source_id, first
        kind, size, end = form.PAYLOAD_TYPE, 0, 0
        parts: list[bytes | memoryview] = []
        places = [0]
        for head, body in form.split(unit):  # a dozen times for every picture
            size = _RTP_BYTES + len(head) + len(body)
            parts += (pack(b"$", 0, size, 0x80, kind, sequence, rtp_time, source_id), head, body)
            sequence = (sequence + 1) & 0xFFFF
            end += _FRAME_BYTES + size
            places.append(end)
        self._next = sequence
        next_ticks = self._next_ticks(unit)
        if parts:
            last = (sequence - 1) & 0xFFFF
            parts[-3] = pack(b"$", 0, size, 0x80, kind | _MARKER, last, rtp_time, source_id)
            if next_ticks is not None and self._with_delimiter and form.DELIMITER:
                parts.append(self._delimiter(form, next_ticks))
                places.append(end + len(parts[-1]))
        whole = b"".join(parts)  # the one copy that is made of the picture
        return PacketGroup(whole, tuple(places), first, rtp_time, unit.is_key, unit.shown_at)

    def _delimiter(self, form: PayloadFormat, next_ticks: int) -> bytes:
        """Return the packet that tells that the next unit begins."""
        size, rtp_time = _RTP_BYTES + len(form.DELIMITER), self._rtp_time(next_ticks)
        kind, sequence, self._next = form.PAYLOAD_TYPE, self._next, (self._next + 1) & 0xFFFF
        header = _HEADER.pack(b"$", 0, size, 0x80, kind, sequence, rtp_time, self.source_id)
        return header + form.DELIMITER

    def _rtp_time(self, ticks: int) -> int:
        return (self._offset + ticks) & 0xFFFFFFFF

    def _next_ticks(self, unit: AccessUnit) -> int | None:
        """Return when the next unit shows; None while B pictures make that a guess.

        Foretold is the shortest step of late: where pictures come late or are left out, a time
        that lies behind the next unit's would make the times that readers see run backwards.
        """
        last, self._last_ticks = self._last_ticks, unit.ticks
        if last is None or not 0 < unit.ticks - last < CLOCK_HZ:
            self._steps.clear()
            return unit.next_ticks
        self._steps.append(unit.ticks - last)
        if unit.next_ticks is not None or len(self._steps) < _ORDERED_UNITS:
            return unit.next_ticks
        return unit.ticks + min(self._steps)
