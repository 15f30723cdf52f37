"""A folder of images, each shown for a second, over and over."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration, upright
from camfleet_capture.coding import encoded, even_size
from camfleet_capture.errors import SourceEnded, SourceMissing, SourceUnreadable
from camfleet_capture.sources.base import Loop, SourceDetails
from camfleet_capture.sources.rendered import show_all, show_paced
from camfleet_capture.stop import Stop
from camfleet_capture.video_range import as_video
from camfleet_contracts.logs import get_logger

logger = get_logger(__name__)

FPS = 5.0  # so many pictures of each image in real time; one when its readers set the pace
SHOWN_S = 1.0
_WIDEST = 1280
_NAMED = 3  # images, in the reason
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_FORMATS = "image2,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe"


class ImageFolder:
    """Shows images by name, stretched to the size of the first (at most 1280 wide).

    In place of one that cannot be read, the one before it is shown, and `note` names it.
    Each round shows what the folder holds when it begins.
    """

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
        self._folder, self._label = folder, f"folder {folder.name}"
        self._images = self._list()
        self._unreadable: set[Path] = set()
        first = self._first_readable()
        width = min(first.width, _WIDEST)
        self._size = even_size(width, first.height * width // first.width)
        self._alteration = alteration
        size = alteration.size_of(*self._size)
        self.details = SourceDetails(encoded("images", alteration), *size, self._fps)
        self.loop: Loop | None = None
        self._started_at = 0.0
        self._round, self._begins = 0, 0  # this round and the number of its first image
        self._shown = self._images[0], as_video(first, *self._size)

    @property
    def note(self) -> str | None:
        """Name the images that cannot be read."""
        if not self._unreadable:
            return None
        names = ", ".join(sorted(path.name for path in self._unreadable)[:_NAMED])
        more = len(self._unreadable) - _NAMED
        others = f" and {more} more" if more > 0 else ""
        return f"{self._label}: cannot read {names}{others}; replace or remove what is not an image"

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
        while number - self._begins >= len(self._images):
            self._begin_round()
        self.loop = Loop(self._round, self._started_at + self._begins * SHOWN_S)
        path = self._images[number - self._begins]
        if self._shown[0] != path:
            image = self._read(path)
            picture = as_video(image, *self._size) if image else self._shown[1]
            self._shown = path, picture
        return self._shown[1]

    def _begin_round(self) -> None:
        if not self._loops:
            raise SourceEnded(f"{self._label}: shown to its end (loop: false)")
        self._round, self._begins = self._round + 1, self._begins + len(self._images)
        self._images = self._list()
        self._unreadable.intersection_update(self._images)

    def _list(self) -> list[Path]:
        try:
            images = sorted(p for p in self._folder.iterdir() if p.suffix.lower() in _SUFFIXES)
        except OSError as error:
            raise SourceMissing(f"{self._label}: {error.strerror}; check the path") from error
        if not images:
            raise SourceUnreadable(f"{self._label}: holds no image")
        return images

    def _first_readable(self) -> VideoFrame:
        for path in self._images:
            if image := self._read(path):
                return image
        raise SourceUnreadable(f"{self._label}: none of its images can be read; replace them")

    def _read(self, path: Path) -> VideoFrame | None:
        image = _read_image(path)
        if image:
            self._unreadable.discard(path)
        elif path not in self._unreadable:
            logger.warning("image left out", source=self._label, image=path.name)
            self._unreadable.add(path)
        return image


def _read_image(path: Path) -> VideoFrame | None:
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        if not path.is_file():  # opening a named pipe waits for somebody who writes
            return None
        with av.open(f"file:{path}", options=options, metadata_errors="replace") as container:
            return upright(next(container.decode(video=0)))
    except (av.error.FFmpegError, OSError, StopIteration, IndexError):
        return None
