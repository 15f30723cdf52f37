"""One file of a recording: fragmented MP4, written group by group, readable whenever it is cut."""

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit, CodecName, wall_time
from camfleet_capture.codecs.syntax import picture_size

_FORMATS: Mapping[CodecName, str] = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}
# A fragment a group, the header first: what was written can be read after a kill, too.
_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
    "video_track_timescale": str(CLOCK_HZ),
}
LONGEST_GAP_S = 2.0  # between two pictures of one file


class SegmentWriter:
    """Writes groups of pictures into one file. Not thread-safe.

    Args:
        path: where the file is made; its folder must be there.
        key: the first picture.

    Raises:
        OSError: the file cannot be made.
        av.error.FFmpegError: the picture cannot be understood.
    """

    def __init__(self, path: Path, key: AccessUnit) -> None:
        self.path, self.codec, self.size = path, key.codec, picture_size(key)
        self.started_at = wall_time(key.shown_at)
        self._zero, self._delay, self._last = key.ticks, 0, -1
        self._newest = self._readable = key.ticks
        with av.open(io.BytesIO(key.coded()), format=_FORMATS[key.codec]) as probe:
            self._container = av.open(str(path), "w", format="mp4", options=_OPTIONS)
            self._stream: Any = self._container.add_stream_from_template(probe.streams.video[0])
        self._stream.time_base = Fraction(1, CLOCK_HZ)

    @property
    def ends_at(self) -> float:
        """Unix time of the newest picture."""
        return self.started_at + (self._newest - self._zero) / CLOCK_HZ

    @property
    def readable_to(self) -> float:
        """Unix time of the newest picture in the file: a group gets there when the next begins."""
        return self.started_at + (self._readable - self._zero) / CLOCK_HZ

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk so far."""
        return self.path.stat().st_size

    def takes(self, key: AccessUnit) -> bool:
        """Tell whether a group goes on where this file ends, in the same form."""
        gap_s = (key.ticks - self._newest) / CLOCK_HZ
        same_form = key.codec == self.codec and picture_size(key) == self.size
        return same_form and 0 < gap_s < LONGEST_GAP_S

    def write(self, group: Sequence[AccessUnit]) -> None:
        """Append one group in decoding order.

        Decoding times are not in the stream: they are the showing times in their order, early
        enough that no picture is shown before it is decoded.

        Raises:
            OSError: the disk takes no more.
        """
        shown = sorted(unit.ticks for unit in group)
        late = max(first - unit.ticks for first, unit in zip(shown, group, strict=True))
        self._delay = max(self._delay, late)
        for ticks, unit in zip(shown, group, strict=True):
            packet = av.Packet(unit.coded())
            packet.stream, packet.time_base = self._stream, Fraction(1, CLOCK_HZ)
            packet.pts = unit.ticks - self._zero + self._delay
            packet.dts = self._last = max(ticks - self._zero, self._last + 1)
            packet.is_keyframe = unit.is_key
            self._container.mux(packet)
        if group[0].is_key:
            self._readable = self._newest
        self._newest = max(self._newest, shown[-1])

    def close(self) -> None:
        """Finish the file."""
        self._container.close()
