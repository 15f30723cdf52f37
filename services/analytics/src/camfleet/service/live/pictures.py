"""The newest picture with burnt-in boxes, encoded once for everybody who looks at it."""

import asyncio
import threading
import time
from asyncio import AbstractEventLoop

import numpy as np

from camfleet.service.live.drawing import boxes_of, draw_boxes, draw_shapes, encode_jpeg
from camfleet.video.frames import Frame
from camfleet.video.scaling import reformatted

_SHORTEST_INTERVAL_S = 0.1
_WIDEST = 1280


class PictureWatcher:
    """Sees the newest JPEG only; a slow one misses those between."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._changed = asyncio.Event()
        self._newest: bytes | None = None
        self._ended = False

    def show(self, jpeg: bytes | None) -> None:
        """From any thread: the newest picture, None when the camera ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take_over, jpeg)

    async def take(self) -> bytes | None:
        """The next picture; None when there will be no more."""
        while self._newest is None and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        newest, self._newest = self._newest, None
        return newest

    def _take_over(self, jpeg: bytes | None) -> None:
        self._ended = self._ended or jpeg is None
        self._newest = jpeg
        self._changed.set()


class PictureBoard:
    """Encodes what is posted while somebody looks, at most ten pictures a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[PictureWatcher, ...] = ()
        self._is_closed = False
        self._due_s = 0.0
        self.encoded = 0

    @property
    def is_due(self) -> bool:
        """True when somebody looks and the last picture is old enough."""
        return bool(self._watchers) and time.monotonic() >= self._due_s

    def post(self, frame: Frame, result: dict[str, object] | None) -> None:
        """Burn the result into the frame and show it, if a picture is due."""
        if not self.is_due:
            return
        self._due_s = time.monotonic() + _SHORTEST_INTERVAL_S
        jpeg = _render(frame, result)
        self.encoded += 1
        for watcher in self._watchers:
            watcher.show(jpeg)

    def watch(self, loop: AbstractEventLoop) -> PictureWatcher:
        """A new watcher; the caller ends it with unwatch."""
        watcher = PictureWatcher(loop)
        with self._lock:
            self._watchers += (watcher,)
            if self._is_closed:
                watcher.show(None)
        return watcher

    def unwatch(self, watcher: PictureWatcher) -> None:
        """The watcher left."""
        with self._lock:
            self._watchers = tuple(other for other in self._watchers if other is not watcher)

    def close(self) -> None:
        """End all watchers."""
        with self._lock:
            self._is_closed = True
            for watcher in self._watchers:
                watcher.show(None)


def _render(frame: Frame, result: dict[str, object] | None) -> bytes:
    width, height = frame.size
    scale = min(1.0, _WIDEST / width)
    picture = reformatted(frame.picture, "rgb24", (round(width * scale), round(height * scale)))
    image_rgb = np.asarray(picture.to_ndarray(), np.uint8)
    boxes = boxes_of(result)
    draw_shapes(image_rgb, boxes, scale)
    draw_boxes(image_rgb, boxes, scale)
    return encode_jpeg(image_rgb)
