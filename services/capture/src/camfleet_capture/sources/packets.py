"""Sources of coded pictures that come from no container: devices and child processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import av
from av.video.codeccontext import VideoCodecContext

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import Coder, VideoPacket, coder_of
from camfleet_capture.sources.base import Loop, SourceDetails
from camfleet_capture.sources.clock import LiveClock
from camfleet_capture.stop import Stop


class Arrived(NamedTuple):
    """One coded picture; `stamped` is the time.monotonic() its source gives it, if it does."""

    content: bytes
    stamped: float | None
    arrived: float


class PacketFeed(Protocol):
    """Where the coded pictures come from."""

    note: str | None

    def packets(self, stop: Stop) -> Iterator[Arrived]:
        """Yield pictures as they come, until `stop` is set; SourceFault when they end."""

    def close(self) -> None:
        """Release what is behind it."""


@dataclass(frozen=True, slots=True)
class Coding:
    """What a feed's packets are, as libavcodec names it."""

    decoder: str
    width: int
    height: int
    fps: float
    pix_fmt: str | None = None


class PacketSource:
    """Makes access units of a feed's packets."""

    loop: Loop | None = None

    def __init__(self, feed: PacketFeed, coding: Coding, alteration: Alteration = NOTHING) -> None:
        self._feed, self.note = feed, feed.note
        self._coder: Coder = coder_of(_context_of(coding), coding.fps, alteration)
        width, height = alteration.size_of(coding.width, coding.height)
        self.details = SourceDetails(self._coder.codec, width, height, coding.fps)

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield pictures as they arrive."""
        clock, latest = LiveClock(), 0.0
        for content, stamped, arrived in self._feed.packets(stop):
            at = latest = max(arrived, latest + 0.001)
            ticks, shown_at = clock.place(at if stamped is None else stamped, at)
            packet: VideoPacket = av.Packet(content)  # type: ignore[assignment]  # of no container
            yield from self._coder.code(packet, ticks, shown_at)

    def truth(self) -> dict[str, Any] | None:
        """Return None: nobody knows what a camera shows."""
        return None

    def close(self) -> None:
        """Release the device or process."""
        self._feed.close()


def _context_of(coding: Coding) -> VideoCodecContext:
    context = av.CodecContext.create(coding.decoder, "r")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{coding.decoder} decodes no video")
    context.width, context.height = coding.width, coding.height
    if coding.pix_fmt:
        context.pix_fmt = coding.pix_fmt
    return context
