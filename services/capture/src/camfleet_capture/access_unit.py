"""One coded picture on its way from a source to the readers."""

import time
from dataclasses import dataclass, field
from typing import Literal

CLOCK_HZ = 90_000
START_CODE = b"\x00\x00\x00\x01"

CodecName = Literal["h264", "h265", "mjpeg"]


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """A picture in decoding order.

    Attributes:
        nals: its NAL units without start codes and delimiters; a key picture begins with its
            parameter sets. Of MJPEG: the JPEG picture alone.
        is_key: decoding can start here.
        ticks: presentation time, 90 kHz, as true to the source's time stamps as they are.
        shown_at: time.monotonic() of the moment the picture shows.
        next_ticks: presentation time of the next unit in decoding order, where it is known; of
            a picture that may be left out when it is late, the time of the picture that is due.
        size_bytes: of all NAL units.
    """

    nals: tuple[bytes, ...]
    is_key: bool
    ticks: int
    shown_at: float
    next_ticks: int | None = None
    codec: CodecName = "h264"
    size_bytes: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size_bytes", sum(map(len, self.nals)))

    def coded(self) -> bytes:
        """Return the picture as a decoder takes it: with start codes, or the JPEG picture."""
        if self.codec == "mjpeg":
            return self.nals[0]
        return START_CODE + START_CODE.join(self.nals)


def wall_time(monotonic_s: float) -> float:
    """Return the Unix time of a moment of time.monotonic(), by the wall clock as it is now."""
    return monotonic_s + time.time() - time.monotonic()
