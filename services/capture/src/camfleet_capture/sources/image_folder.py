"""A folder of images, each shown for a second, over and over."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import structlog
from av.video.frame import VideoFrame

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import encoded
from camfleet_capture.errors import SourceEnded, SourceMissing, SourceUnreadable
from camfleet_capture.sources.base import Loop, SourceDetails
from camfleet_capture.sources.rendered import show_all, show_paced
from camfleet_capture.stop import Stop

logger = structlog.get_logger(__name__)

FPS = 5.0  # so many pictures of each image in real time; one when its readers set the pace
SHOWN_S = 1.0
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_FORMATS = "image2,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe"


class ImageFolder:
    """Shows images by name, stretched to the size of the first (at most 1280 wide).

    In place of one that cannot be read, the one before it is shown.
    """

    note: str | None = None

    def __init__(
        self,
        folder: Path,
        alteration: Alteration = NOTHING,
        *,
        loops: bool = True,
        real_time: bool = True,
    ) -> None:
        self._loops = loops
        self._show, self._fps = (show_paced, FPS) if real_time else (show_all, 1 / SHOWN_S)
        if not folder.is_dir():
            raise SourceMissing(f"folder {folder.name}: not there; check the path")
        self._label = f"folder {folder.name}"
        self._images = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
        if not self._images:
            raise SourceUnreadable(f"{self._label}: holds no image")
        first = self._first_readable()
        width = min(first.width, 1280) // 2 * 2
        height = max(2, first.height * width // first.width // 2 * 2)
        self._size, self._alteration = (width, height), alteration
        size = alteration.size_of(width, height)
        self.details = SourceDetails(encoded("images", alteration), *size, self._fps)
        self.loop: Loop | None = None
        self._started_at = 0.0
        self._shown = self._images[0], first.reformat(*self._size, "yuv420p")
        self._told: set[Path] = set()

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield pictures at 5 per second, or each image once."""
        self._started_at = time.monotonic()
        yield from self._show(self._render, self._fps, self._started_at, stop, self._alteration)

    def truth(self) -> dict[str, Any] | None:
        """Return None: nobody knows what images show."""
        return None

    def close(self) -> None:
        """Keep nothing open."""

    def _render(self, time_s: float) -> VideoFrame:
        number = int(time_s / SHOWN_S + 1e-6)
        count = number // len(self._images)
        if count and not self._loops:
            raise SourceEnded(f"{self._label}: shown to its end (loop: false)")
        self.loop = Loop(count, self._started_at + count * len(self._images) * SHOWN_S)
        path = self._images[number % len(self._images)]
        if self._shown[0] != path:
            self._shown = path, self._read(path) or self._shown[1]
        return self._shown[1]

    def _first_readable(self) -> VideoFrame:
        """Raise SourceUnreadable of the first image where none can be read."""
        for path in self._images:
            with suppress(SourceUnreadable):
                return _read_image(path)
        return _read_image(self._images[0])

    def _read(self, path: Path) -> VideoFrame | None:
        try:
            return _read_image(path).reformat(*self._size, "yuv420p")
        except SourceUnreadable as error:
            if path not in self._told:
                logger.warning("image left out", source=self._label, reason=str(error))
            self._told.add(path)
            return None


def _read_image(path: Path) -> VideoFrame:
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        with av.open(f"file:{path}", options=options) as container:
            return next(container.decode(video=0))
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise SourceUnreadable(f"image {path.name}: cannot be read") from error
