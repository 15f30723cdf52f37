"""Access units into fragments that a browser's media source can append."""

from dataclasses import dataclass

from camfleet.service.live.boxes import TIMESCALE, Sample, init_segment, media_fragment
from camfleet.service.live.nal import to_sample
from camfleet.service.live.stream import AccessUnit, StreamShape
from camfleet.service.live.timing import DecodeTimes, FrameInterval


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a viewer is told before the first fragment of a stream."""

    codec: str
    width: int
    height: int
    fps: float
    t0: float  # the stream's pts in seconds at media time 0
    init: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """One frame; `start_s` is its media time in seconds."""

    header: StreamHeader
    payload: bytes
    is_key: bool
    start_s: float


class FragmentMuxer:
    """Muxes one stream of one shape; begins with a key frame."""

    def __init__(self, first: AccessUnit) -> None:
        interval = round(TIMESCALE / first.shape.fps)
        self.shape = first.shape
        self._zero = first.show_time - first.shape.reorder_depth * interval
        self._first_shown = first.show_time
        self._decode_times = DecodeTimes(first.shape.reorder_depth, interval)
        self._interval = FrameInterval(interval)
        self._number = 0
        self._header = _header(first.shape, self._zero / TIMESCALE)

    def mux(self, unit: AccessUnit) -> Fragment | None:
        """The fragment of the next access unit; None for one that leads the first key frame."""
        if unit.show_time < self._first_shown:
            return None
        decode_time = self._decode_times.next(unit.show_time) - self._zero
        self._interval.saw(decode_time)
        self._number += 1
        sample = Sample(
            data=to_sample(unit.units()),
            decode_time=decode_time,
            show_time=unit.show_time - self._zero,
            duration=self._interval.promised_duration,
            is_key=unit.is_key,
        )
        start_s = sample.show_time / TIMESCALE
        return Fragment(self._header, media_fragment(self._number, sample), unit.is_key, start_s)


def _header(shape: StreamShape, t0: float) -> StreamHeader:
    known = shape.parameters
    init = init_segment(shape.sps, shape.pps, (known.width, known.height))
    return StreamHeader(known.codec, known.width, known.height, shape.fps, t0, init)
