"""One connection's H.264 stream, as access units that carry all a muxer must know."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from camfleet.service.live.boxes import TIMESCALE
from camfleet.service.live.nal import (
    IDR,
    PPS,
    SPS,
    avcc_length_size,
    is_avcc,
    kind_of,
    split_annexb,
    split_extradata,
    split_lengths,
)
from camfleet.service.live.sps import SequenceParameters, parse_sps
from camfleet.service.live.timing import ReorderWatch

if TYPE_CHECKING:
    import av

_SHORTEST_SPS = 5
_LONGEST_STEP = 10 * TIMESCALE
_FURTHEST_BACK = 2 * TIMESCALE
_USUAL_FPS = 15.0


@dataclass(frozen=True, slots=True)
class StreamShape:
    """Everything that needs a new init segment when it changes."""

    sps: bytes
    pps: bytes
    parameters: SequenceParameters
    reorder_depth: int
    fps: float
    epoch: int  # rises with each connection and each jump of the time stamps


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded frame. `shape` is that of the key frame it depends on."""

    packet: bytes
    length_size: int  # 0: Annex B
    show_time: int  # in units of TIMESCALE, in the stream's own clock
    is_key: bool
    shape: StreamShape

    def units(self) -> list[bytes]:
        """The NAL units."""
        if self.length_size:
            return split_lengths(self.packet, self.length_size)
        return split_annexb(self.packet)


class H264Stream:
    """Turns the demuxed packets of one connection into access units; waits for a key frame."""

    def __init__(self, extradata: bytes, fps: float | None, epoch: int) -> None:
        self._length_size = avcc_length_size(extradata) if is_avcc(extradata) else 0
        self._fps = fps or _USUAL_FPS
        self._sets: dict[int, bytes] = {}
        self._shape: StreamShape | None = None
        self._reorder = ReorderWatch()
        self._last_time: int | None = None
        self.epoch = epoch
        self._learn(split_extradata(extradata))

    def read(self, packet: "av.Packet[av.VideoStream]") -> AccessUnit | None:
        """The access unit of a packet; None before the first key frame and without time stamps."""
        show_time = _show_time(packet)
        if show_time is None:
            return None
        self._follow_clock(show_time)
        content = bytes(packet)
        is_key = packet.is_keyframe and self._open_sequence(content)
        self._reorder.saw(show_time)
        if self._shape is None:
            return None
        return AccessUnit(content, self._length_size, show_time, is_key, self._shape)

    def _follow_clock(self, show_time: int) -> None:
        last, self._last_time = self._last_time, show_time
        if last is not None and not last - _FURTHEST_BACK <= show_time <= last + _LONGEST_STEP:
            self.epoch += 1
            self._reorder.forget()

    def _open_sequence(self, content: bytes) -> bool:
        """Take over the parameter sets of a key frame; False where decoding cannot begin there."""
        units = (
            split_lengths(content, self._length_size)
            if self._length_size
            else split_annexb(content)
        )
        self._learn(units)
        if not {SPS, PPS} <= self._sets.keys() or not any(kind_of(u) == IDR for u in units):
            return False
        self._shape = self._current_shape()
        self._reorder.forget()
        return True

    def _learn(self, units: list[bytes]) -> None:
        sets = {kind_of(unit): unit for unit in units if kind_of(unit) in (SPS, PPS)}
        if SPS in sets and len(sets[SPS]) < _SHORTEST_SPS:
            return
        self._sets.update(sets)

    def _current_shape(self) -> StreamShape:
        sps, pps, shape = self._sets[SPS], self._sets[PPS], self._shape
        if shape is None or (shape.sps, shape.pps) != (sps, pps):
            shape = StreamShape(sps, pps, parse_sps(sps), 0, self._fps, self.epoch)
        depth = max(shape.parameters.reorder_depth or 0, self._reorder.depth)
        return replace(shape, reorder_depth=depth, epoch=self.epoch)


def _show_time(packet: "av.Packet[av.VideoStream]") -> int | None:
    if packet.pts is None or not packet.size:
        return None
    return round(Fraction(packet.pts) * (packet.time_base or Fraction(1, TIMESCALE)) * TIMESCALE)
