"""A camera that is a clip, or a list of images, and that can fail."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from unittest import mock

import camfleet
from camfleet.images import Image
from camfleet.streams.base import VideoStream
from camfleet.streams.errors import NoMoreFrames, StreamLost, StreamNotStarted
from camfleet.streams.file import FileVideoStream

_LIVE = ("WebcamVideoStream", "IPVideoStream", "JetsonVideoStream")


class FakeCamera(VideoStream):
    """Shows images one after the other; ends as a file does.

    Args:
        images: what it shows.
        fps: what it states.
        lost_at: read() number `lost_at` (from 0) raises StreamLost, once, as a camera that stalls.
    """

    def __init__(
        self, images: Sequence[Image], *, fps: float = 10, lost_at: int | None = None
    ) -> None:
        self._images, self._fps, self._lost_at = list(images), fps, lost_at
        self._next: int | None = None
        self._reads = 0

    def start(self) -> Self:
        """Begin with the first image."""
        self._next = 0
        return self

    def read(self) -> Image:
        """The next image, a copy of it."""
        if self._next is None:
            raise StreamNotStarted("fake camera")
        self._reads += 1
        if self._reads - 1 == self._lost_at:
            raise StreamLost("fake camera: lost, as the test wished")
        if self._next >= len(self._images):
            raise NoMoreFrames("fake camera", len(self._images))
        self._next += 1
        return self._images[self._next - 1].copy()

    def more(self) -> bool:
        """Whether there is another image."""
        return self._next is not None and self._next < len(self._images)

    def stop(self) -> None:
        """End it."""
        self._next = None

    @property
    def fps(self) -> float | None:
        """What it was made with."""
        return self._fps


@contextmanager
def clip_as_camera(clip: str | os.PathLike[str]) -> Iterator[None]:
    """Every USB, IP and Jetson camera that is opened inside the block shows this clip.

    Frames come as fast as they are read, all of them, and the end raises NoMoreFrames.
    """

    def open_clip(*_: Any, **__: Any) -> FileVideoStream:
        return FileVideoStream(Path(clip))

    with ExitStack() as patches:
        for name in _LIVE:
            getattr(camfleet, name)  # imported on first use, else there is nothing to replace
            patches.enter_context(mock.patch.object(camfleet, name, open_clip))
        yield
