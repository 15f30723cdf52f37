"""Pictures from their bytes to pixels; how much of it may be in memory at once is bounded."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.pictures import Size
from camfleet_server.bytes_in_hand import BytesInHand
from camfleet_server.images.errors import BatchTooLarge, MixedSizes, PictureTooLarge
from camfleet_server.images.fitting import Fitting
from camfleet_server.images.header import PictureHeader, read_header

MAX_IMAGE_PIXELS = 64_000_000


class PictureReader:
    """One for all models; may be used from any thread."""

    def __init__(
        self, max_pixels: int = MAX_IMAGE_PIXELS, observe: Callable[[float], None] | None = None
    ) -> None:
        """Set the limit of one picture, which is also that of all being decoded at once.

        `observe` gets the seconds from the bytes of a picture to its pixels.
        """
        self.max_pixels = max_pixels
        self._observe = observe
        self._room = _Room(max_pixels)
        self.made = BytesInHand("of pictures")  # what waits for its inference

    def read(self, contents: Sequence[bytes], tensor: str, fitting: Fitting) -> NDArray[np.uint8]:
        """Decode and fit files; returns a batch (N, H, W, C).

        Raises:
            BadPicture, PictureTooLarge, BatchTooLarge, WrongChannels, MixedSizes.
        """
        headers = [self._read_header(content, tensor) for content in contents]
        frames = [(header.width, header.height) for header in headers]
        with self._room.taken(self._needed(frames, len(frames), tensor, fitting)):
            pairs = zip(contents, headers, strict=True)
            return self._as_batch((self._read_one(*pair, fitting) for pair in pairs), tensor)

    def fit(self, frames: NDArray[np.uint8], tensor: str, fitting: Fitting) -> NDArray[np.uint8]:
        """Fit pixels (N, H, W, C) of any size; raises as `read`."""
        count, height, width, _ = frames.shape
        sides = [(width, height)] if frames.size else []
        with self._room.taken(self._needed(sides, count, tensor, fitting)):
            return self._as_batch((fitting.fit(frame) for frame in frames), tensor)

    def _needed(self, frames: Iterable[Size], count: int, tensor: str, fitting: Fitting) -> int:
        """Return how many pixels a batch of `count` takes at the most; raises BatchTooLarge."""
        needed = 0
        for frame in frames:
            made, fitted = fitting.sizes(frame)
            batch = count * math.prod(fitted)
            if batch > self.max_pixels:
                raise BatchTooLarge(count, self.max_pixels, tensor)
            needed = max(needed, math.prod(frame), math.prod(made), batch)
        return min(needed, self.max_pixels)

    def _as_batch(self, pictures: Iterable[NDArray[np.uint8]], tensor: str) -> NDArray[np.uint8]:
        """Make (N, H, W, C) of pictures (H, W, C)."""
        fitted: list[NDArray[np.uint8]] = []
        for picture in pictures:
            fitted.append(picture)
            if picture.shape != fitted[0].shape:
                raise MixedSizes(tensor)
        return fitted[0][None] if len(fitted) == 1 else np.stack(fitted)

    def _read_header(self, content: bytes, tensor: str) -> PictureHeader:
        header = read_header(content, tensor)
        if header.pixels > self.max_pixels:
            raise PictureTooLarge((header.width, header.height), self.max_pixels, tensor)
        return header

    def _read_one(
        self, content: bytes, header: PictureHeader, fitting: Fitting
    ) -> NDArray[np.uint8]:
        began_at = time.perf_counter()
        fitted = fitting.fit(fitting.decode(content, header))
        if self._observe:
            self._observe(time.perf_counter() - began_at)
        return fitted


class _Room:
    """So many pixels at once; who comes first goes first, however much it needs."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._entry = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait for room and hold it for the block."""
        with self._entry, self._changed:
            while self._free < pixels:
                self._changed.wait()
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify()
