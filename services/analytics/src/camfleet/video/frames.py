"""A decoded picture with its times, and the slot that keeps only the newest one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import av

from camfleet.video.once import Once


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as the decoder gave it; nothing is converted until somebody needs pixels."""

    picture: av.VideoFrame
    number: int  # counts the decoded frames of one camera over all its connections
    pts_s: float  # the stream's own clock; begins anew with each connection
    captured_at: datetime  # the sender's clock where it tells (RTCP), else received_at
    received_at: datetime
    received_s: float  # time.monotonic(); of a film that is not in real time, its own clock
    connection: int = 0  # counts the reader's connections; pts_s begins anew with each
    once: Once = field(default_factory=Once, compare=False)  # what was asked about the picture

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture in pixels."""
        return self.picture.width, self.picture.height


class FrameTaker(Protocol):
    """Gets the frames of a reader, in its thread; must not block."""

    def put(self, frame: Frame) -> None:
        """The newest one."""


Choice = Callable[[Frame], bool]  # True for a frame to look at


class FrameSlot:
    """Holds the newest wanted frame; putting replaces, taking waits. One writer, one reader.

    What is not wanted is counted and wakes nobody.

    Args:
        keeps_all: putting waits until the frame before was taken, so that none is replaced.
    """

    def __init__(self, *, keeps_all: bool = False) -> None:
        self.keeps_all, self._is_closed = keeps_all, False
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self.wants: Choice = _every_frame  # asked in the writer's thread
        self.replaced = self.skipped = 0

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that nobody took is dropped and counted."""
        if not self.wants(frame):
            self.skipped += 1
            return
        with self._changed:
            if self.keeps_all:
                self._changed.wait_for(lambda: self._frame is None or self._is_closed)
            if self._frame is not None:
                self.replaced += 1
            self._frame = frame
            self._changed.notify()

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame, waiting for one at most `timeout_s`; None when none came."""
        with self._changed:
            if self._frame is None:
                self._changed.wait(timeout_s)
            frame, self._frame = self._frame, None
            if self.keeps_all:
                self._changed.notify()
            return frame


def _every_frame(_: Frame) -> bool:
    return True
