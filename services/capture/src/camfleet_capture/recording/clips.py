"""A stretch of a recording as one MP4 file, copied without encoding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from camfleet_capture.access_unit import CLOCK_HZ
from camfleet_capture.recording.ring import Segment
from camfleet_capture.recording.segment import LONGEST_GAP_S
from camfleet_capture.snapshot import encode_jpeg

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

LONGEST_S = 600.0


class NotRecorded(LookupError):
    """The recording holds nothing of the time that was asked for."""


def cut_clip(
    segments: Sequence[Segment], start: float, end: float, path: Path
) -> tuple[float, float]:
    """Copy what was recorded between two Unix times into `path`; return the times it covers.

    It begins with the key picture before `start`, and ends where the picture's size or codec
    changes: one MP4 has one of each.

    Raises:
        NotRecorded: nothing of it is there.
        OSError: a file cannot be read or written.
    """
    touched = [one for one in _in_order(segments) if one.ends_at >= start and one.started_at <= end]
    zero: int | None = None
    newest = 0
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as output:
        writer: _Output | None = None
        for segment in touched:
            if segment.ends_at * CLOCK_HZ <= newest:  # a time that came twice is shown once
                continue
            with av.open(str(segment.path)) as source:
                stream: Any = source.streams.video[0]
                if writer is None:
                    writer = _Output(output, output.add_stream_from_template(stream), stream)
                elif not writer.takes(stream):
                    break
                begin = max(start, newest / CLOCK_HZ)
                for pts, dts, packet in _wanted(source, segment, (begin, end)):
                    zero = dts if zero is None else zero
                    writer.write(packet, pts - zero, dts - zero)
                    newest = max(newest, pts)
        if zero is None:
            raise NotRecorded
    return zero / CLOCK_HZ, newest / CLOCK_HZ


@dataclass(slots=True)
class _Output:
    container: Any
    stream: Any
    first: Any  # the first source's stream
    _last: int = -1

    def takes(self, stream: Any) -> bool:
        """Tell whether another source's pictures have the same form."""
        mine, other = self.first.codec_context, stream.codec_context
        return (mine.name, mine.extradata) == (other.name, other.extradata)

    def write(self, packet: Any, pts: int, dts: int) -> None:
        """Append a packet at times in ticks from the clip's beginning."""
        packet.stream, packet.time_base = self.stream, Fraction(1, CLOCK_HZ)
        packet.dts = self._last = max(dts, self._last + 1)
        packet.pts = max(pts, packet.dts)
        self.container.mux(packet)


def _wanted(
    source: Any, segment: Segment, span: tuple[float, float]
) -> Iterator[tuple[int, int, Any]]:
    """Yield the packets from the key picture before the span to its end: pts, dts, packet."""
    first_tick, last_tick = (round(moment * CLOCK_HZ) for moment in span)
    begin = round(segment.started_at * CLOCK_HZ)
    waiting: list[tuple[int, int, Any]] = []
    zero: int | None = None
    for packet in source.demux(video=0):
        if packet.pts is None or packet.dts is None:
            continue
        if packet.is_corrupt:  # where a kill or a full disk cut the file off
            break
        pts, dts = (round(t * packet.time_base * CLOCK_HZ) for t in (packet.pts, packet.dts))
        zero = pts if zero is None else zero  # the key picture that the segment begins with
        shown = begin + pts - zero
        if packet.is_keyframe and shown <= first_tick:
            waiting = []
        if packet.is_keyframe and shown > last_tick:
            break
        waiting.append((shown, begin + dts - zero, packet))
        if shown >= first_tick:
            yield from waiting
            waiting = []
    yield from waiting  # the span lies between two pictures: the first of them showed


def _in_order(segments: Sequence[Segment]) -> list[Segment]:
    """By their times: a clock that was set back leaves newer files with earlier ones."""
    return sorted(segments, key=lambda one: one.started_at)


def _showing_at(segments: Sequence[Segment], moment: float) -> Segment:
    """The last picture of a file shows until the first one of the next, if that follows at once."""
    ordered = _in_order(segments)
    begun = [one for one in ordered if one.started_at <= moment]
    later = [one.started_at for one in ordered if one.started_at > moment]
    if not begun:
        raise NotRecorded
    segment = next((one for one in reversed(begun) if one.ends_at >= moment), begun[-1])
    goes_on = later and later[0] - segment.ends_at < LONGEST_GAP_S
    if moment > segment.ends_at and not goes_on:
        raise NotRecorded
    return segment


def picture_at(segments: Sequence[Segment], moment: float) -> bytes:
    """Return the picture that showed at a Unix time, as JPEG.

    Raises:
        NotRecorded: there is none.
        OSError: the file cannot be read.
    """
    segment = _showing_at(segments, moment)
    shown: VideoFrame | None = None
    with av.open(str(segment.path)) as source:
        wanted = list(_wanted(source, segment, (moment, moment)))
        ticks = {packet.pts: pts for pts, _, packet in wanted}
        for packet in [*(packet for _, _, packet in wanted), None]:
            for frame in source.streams.video[0].codec_context.decode(packet):
                if shown is None or ticks.get(frame.pts, 0) <= moment * CLOCK_HZ:
                    shown = frame
    if shown is None:
        raise NotRecorded
    return encode_jpeg(shown)
