"""A moving test card that tells its number and the time, to see losses, order and delay."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from camfleet_capture.access_unit import AccessUnit, wall_time
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import encoded
from camfleet_capture.sources.base import Loop, SourceDetails
from camfleet_capture.sources.rendered import show_paced
from camfleet_capture.sources.v4l2.choice import Wish
from camfleet_capture.stop import Stop

NUMBER_BITS = 16
_COLOURS = ("white", "yellow", "cyan", "lime", "magenta", "red", "blue", "black")
_TURN_S = 8.0  # the marker crosses the picture in it


class MovingCard:
    """Colour bars, a marker that moves, and the number of the picture in digits and in bits.

    The lowest eighth shows the number in `NUMBER_BITS` fields, the highest bit at the left, white
    for one, so that programs read it too; above it are the digits and the wall clock (UTC).
    """

    note: str | None = None
    loop: Loop | None = None

    def __init__(self, wish: Wish, alteration: Alteration = NOTHING) -> None:
        self._width, self._height = wish.width // 2 * 2, wish.height // 2 * 2
        self._fps, self._alteration = wish.fps, alteration
        size = alteration.size_of(self._width, self._height)
        self.details = SourceDetails(encoded("testcard", alteration), *size, wish.fps)
        self._bars = _bars(self._width, self._height)
        self._font = ImageFont.load_default(max(10, self._height // 10))
        self._started_at = 0.0

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield pictures at the wanted rate; one that is late is left out, with its number."""
        self._started_at = time.monotonic()
        yield from show_paced(self._render, self._fps, self._started_at, stop, self._alteration)

    def truth(self) -> dict[str, Any] | None:
        """Return None: there are no objects in it."""
        return None

    def close(self) -> None:
        """Keep nothing open."""

    def draw(self, number: int, clock: str) -> NDArray[np.uint8]:
        """Return one picture, RGB."""
        picture = self._bars.copy()
        draw = ImageDraw.Draw(picture)
        width, height = self._width, self._height
        at = number / self._fps % _TURN_S / _TURN_S * width
        draw.rectangle((at, 0, at + width // 40, height * 5 // 8), fill="gray")
        draw.rectangle((0, height * 5 // 8, width, height * 7 // 8), fill="black")
        text_at = (width // 40, height * 11 // 16)
        draw.text(text_at, f"{number:07d}   {clock}", fill="white", font=self._font)
        for place in range(NUMBER_BITS):
            is_one = number >> (NUMBER_BITS - 1 - place) & 1
            left, right = place * width // NUMBER_BITS, (place + 1) * width // NUMBER_BITS
            fields = (left, height * 7 // 8, right - 1, height)
            draw.rectangle(fields, fill="white" if is_one else "black")
        return np.asarray(picture)

    def _render(self, time_s: float) -> VideoFrame:
        moment = datetime.fromtimestamp(wall_time(self._started_at + time_s), UTC)
        clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
        pixels = self.draw(round(time_s * self._fps), clock)
        return VideoFrame.from_ndarray(pixels, format="rgb24")


def _bars(width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for place, colour in enumerate(_COLOURS):
        left, right = place * width // len(_COLOURS), (place + 1) * width // len(_COLOURS)
        draw.rectangle((left, 0, right, height), fill=colour)
    return picture
