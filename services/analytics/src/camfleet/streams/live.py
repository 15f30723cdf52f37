"""A camera as a stream: a thread keeps its newest frame, and connects again when it is gone."""

import time
from typing import TYPE_CHECKING, Self

import av

from camfleet.images import Image
from camfleet.streams.base import VideoStream, image_of
from camfleet.streams.errors import StreamLost, StreamMissing, StreamNotStarted
from camfleet.video.packets import Packet
from camfleet.video.reader import CameraReader

if TYPE_CHECKING:
    from camfleet.video.frames import Frame

START_TIMEOUT_S = 15.0
READ_TIMEOUT_S = 10.0
_LOOK_S = 0.05


class LiveVideoStream(VideoStream):
    """Base of the cameras' streams; read() waits for a frame that was not read before."""

    def __init__(self, name: str) -> None:
        """Nothing is opened yet; `name` is what errors and the log call it."""
        self._name = name
        self._reader: CameraReader | None = None
        self._first: Frame | None = None

    def _make_reader(self) -> CameraReader:
        """A reader that is not started; every start() makes one."""
        raise NotImplementedError

    def start(self) -> Self:
        """Connect and wait for the first frame."""
        self.stop()
        self._reader = reader = self._make_reader()
        reader.is_awaited = True
        reader.start()
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while self._first is None:
            self._first = reader.slot.take(_LOOK_S)
            if self._first is None and self._is_hopeless(reader, deadline_s):
                reason = reader.connection.reason or f"no picture within {START_TIMEOUT_S:g} s"
                self.stop()
                raise StreamMissing(f"{self._name}: {reason}")
        reader.is_awaited = False
        return self

    def read(self) -> Image:
        """The newest frame."""
        reader = self._reader
        if reader is None:
            raise StreamNotStarted(self._name)
        frame = reader.slot.take(0.0) or self._first or reader.slot.take(READ_TIMEOUT_S)
        self._first = None
        if frame is None:
            reason = reader.connection.reason or "it hangs"
            raise StreamLost(f"{self._name}: no picture for {READ_TIMEOUT_S:g} s: {reason}")
        return image_of(frame.picture)

    def more(self) -> bool:
        """True until stop(): a camera has no end."""
        return self._reader is not None

    def stop(self) -> None:
        """Disconnect."""
        if self._reader is not None:
            self._reader.stop()
        self._reader, self._first = None, None

    @property
    def fps(self) -> float | None:
        """As the camera states them."""
        return None if self._reader is None else self._reader.connection.source_fps

    @staticmethod
    def _is_hopeless(reader: CameraReader, deadline_s: float) -> bool:
        return reader.connection.reason is not None or time.monotonic() > deadline_s


class NoSink:
    """Nobody wants the coded stream."""

    def push_stream(self, stream: av.VideoStream) -> None:
        """Ignore it."""

    def push_packet(self, packet: Packet) -> None:
        """Ignore it."""

    def push_end(self) -> None:
        """Ignore it."""
