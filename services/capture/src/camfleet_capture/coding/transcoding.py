"""The coder of what RTP cannot carry: decodes and encodes."""

import heapq
from collections.abc import Iterator
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding.coder import VideoPacket
from camfleet_capture.coding.encoding import PictureEncoder, encoded

_WHY = "its B pictures have no times"


class Transcoder:
    """Decodes whatever comes and encodes it as H.264 that every reader takes.

    Args:
        knows_order: False where the times that come with packets grow in their order, whenever
            their pictures show; the pictures then take these times as they show.
    """

    copies = False

    def __init__(
        self,
        decoder: VideoCodecContext,
        fps: float,
        alteration: Alteration = NOTHING,
        *,
        knows_order: bool = True,
    ) -> None:
        self._knows_order = knows_order
        self._untaken: list[int] = []  # ticks that no picture has taken yet, the earliest first
        why = alteration if alteration or knows_order else _WHY
        self.codec = encoded(decoder.codec.canonical_name, why)
        decoder.thread_type = "SLICE"
        self._decoder = decoder
        self._encoder = PictureEncoder(fps, alteration)
        self._lead_s = 0.0  # from ticks to shown_at

    def code(
        self, packet: VideoPacket, ticks: int, shown_at: float, _next_ticks: int | None = None
    ) -> Iterator[AccessUnit]:
        """Yield the pictures that decoding this packet completes."""
        packet.pts, packet.time_base = ticks, Fraction(1, CLOCK_HZ)
        packet.dts = None
        self._lead_s = shown_at - ticks / CLOCK_HZ
        if not self._knows_order:
            self._offer(ticks)
        yield from self._decode(packet, ticks)

    def finish(self) -> Iterator[AccessUnit]:
        """Yield the pictures that wait for later ones to be put in order."""
        yield from self._decode(None, 0)

    def _decode(self, packet: "VideoPacket | None", ticks: int) -> Iterator[AccessUnit]:
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:  # of many kinds, where a packet is damaged: it costs itself
            return
        for frame in frames:
            due = self._due(frame, ticks)
            yield from self._encoder.encode(frame, due, due / CLOCK_HZ + self._lead_s)

    def _offer(self, ticks: int) -> None:
        """Add a time; those of packets without a picture go, before they delay all others."""
        heapq.heappush(self._untaken, ticks)
        while len(self._untaken) > self._decoder.reorder_depth + 1:
            heapq.heappop(self._untaken)

    def _due(self, frame: VideoFrame, ticks: int) -> int:
        if self._untaken:
            return heapq.heappop(self._untaken)
        return ticks if frame.pts is None else frame.pts
