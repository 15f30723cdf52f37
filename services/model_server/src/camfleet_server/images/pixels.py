"""Decoding and scaling with OpenCV; imported by the first request that brings a picture."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def decode_upright(content: bytes, divisor: int) -> Pixels | None:
    """Decode to BGR (H, W, 3), turned as its orientation tag says; None: it cannot be decoded.

    A `divisor` of 2, 4 or 8 leaves out what would be averaged away: a fraction of the work.
    """
    return _decode(content, _REDUCED[divisor])


def decode_as_stored(content: bytes) -> Pixels | None:
    """Decode with the channels the picture has (BGR order, alpha last), 8 bits each, not turned."""
    pixels = _decode(content, cv2.IMREAD_UNCHANGED)
    if pixels is not None and pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    return pixels


def scale(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Scale to (width, height): averaging the area where it shrinks, linear where it grows."""
    height, width = pixels.shape[:2]
    shrunk = (min(width, size[0]), min(height, size[1]))
    if shrunk != (width, height):
        pixels = _resize(pixels, shrunk, cv2.INTER_AREA)
    return _resize(pixels, size, cv2.INTER_LINEAR_EXACT) if shrunk != size else pixels


def grow_part(
    pixels: Pixels, scaled_size: tuple[int, int], corner: tuple[int, int], size: tuple[int, int]
) -> Pixels:
    """Grow to `scaled_size` as `scale` does, making the part of `size` at `corner` alone."""
    height, width = pixels.shape[:2]
    left, right, across = _neighbours(width, scaled_size[0], corner[0], size[0])
    upper, lower, down = _neighbours(height, scaled_size[1], corner[1], size[1])
    across, down = across[:, None], down[:, None, None]
    above = _mix(pixels[np.ix_(upper, left)], pixels[np.ix_(upper, right)], across)
    below = _mix(pixels[np.ix_(lower, left)], pixels[np.ix_(lower, right)], across)
    return _mix(above, below, down).round().astype(np.uint8)


def scale_linear(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Scale to (width, height) as OpenVINO Model Server does."""
    return pixels if pixels.shape[1::-1] == size else _resize(pixels, size, cv2.INTER_LINEAR)


def to_rgb(pictures: Pixels) -> Pixels:
    """Turn the colours of BGR pictures (N, H, W, 3) around."""
    rows = pictures.reshape(-1, *pictures.shape[2:])  # all pictures below each other
    turned = np.asarray(cv2.cvtColor(rows, cv2.COLOR_BGR2RGB), np.uint8)
    return turned.reshape(pictures.shape)


def to_gray(pixels: Pixels) -> Pixels:
    """Make (H, W, 1) of BGR (H, W, 3)."""
    if pixels.shape[2] == 1:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)[..., None]


def _neighbours(
    given: int, scaled: int, first: int, count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Between which two given pixels each of `count` scaled ones lies, and how near the second."""
    centres = (np.arange(first, first + count) + 0.5) * given / scaled - 0.5
    centres = np.clip(centres, 0, given - 1)
    before = centres.astype(np.intp)
    return before, np.minimum(before + 1, given - 1), (centres - before).astype(np.float32)


def _mix(
    one: NDArray[Any], other: NDArray[Any], nearness: NDArray[np.float32]
) -> NDArray[np.float32]:
    mixed: NDArray[np.float32] = one + np.subtract(other, one, dtype=np.float32) * nearness
    return mixed


def _decode(content: bytes, flags: int) -> Pixels | None:
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # e.g. a size OpenCV itself refuses
        return None
    if pixels is None:
        return None
    decoded: Pixels = np.atleast_3d(pixels)  # gray has no channels
    return decoded


def _resize(pixels: Pixels, size: tuple[int, int], interpolation: int) -> Pixels:
    resized = np.asarray(cv2.resize(pixels, size, interpolation=interpolation), np.uint8)
    return resized.reshape(size[1], size[0], pixels.shape[2])
