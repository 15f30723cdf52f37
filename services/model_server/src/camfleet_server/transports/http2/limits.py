"""What one connection may ask for, and how much of what is no use to anybody."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from camfleet_server.transports.http2.frames import ConnectionFault, ErrorCode

_PATIENCE = 10_000  # in hand, before a peer is too busy for nothing
_FORGIVEN_A_SECOND = 1_000
_EARNED = 4  # by each request that comes to its end


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection."""

    streams: int = 4096  # open at once
    window_bytes: int = 1 << 22  # of one request that are on the way
    frame_bytes: int = 1 << 20  # of one DATA frame
    header_bytes: int = 1 << 15  # of one header block as it is sent
    header_frames: int = 32  # of one header block


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How many connections there may be, and how long they last."""

    connections: int = 1024
    idle_s: float = 3600.0  # without a request
    age_s: float = float("inf")
    grace_s: float = float("inf")  # for what is open when the age is reached
    stalled_s: float = 60.0  # amid a request, or before the first frame


class Patience:
    """Counts frames that cost work and bring nothing: resets, pings, settings, empty data.

    A well-behaved peer sends a few with each request; one that floods is cut off.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = _PATIENCE
        self._counted_at = clock()

    def lose(self, cost: int = 1) -> None:
        """Count one.

        Raises:
            ConnectionFault: there were too many.
        """
        self._left -= cost
        if self._left < 0:
            self._forgive()

    def regain(self) -> None:
        """Take note of something useful."""
        self._left = min(_PATIENCE, self._left + _EARNED)

    def _forgive(self) -> None:
        now = self._clock()
        forgiven = int((now - self._counted_at) * _FORGIVEN_A_SECOND)
        self._left = min(_PATIENCE, self._left + forgiven)
        self._counted_at = now
        if self._left < 0:
            text = "too many frames that ask for nothing"
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, text)
