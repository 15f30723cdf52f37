"""Cutting a part out of a decoded picture without converting it."""

from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray

from camfleet.video.scaling import reformatted

SMALLEST = 16  # pixels a side; what is smaller is widened to it
_PLANAR = {"yuv420p", "yuvj420p"}  # planes of half the width and height follow the first one

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom in pixels


def rectangle_of(
    box: tuple[float, float, float, float], picture: tuple[int, int], margin: float = 0.0
) -> Rectangle:
    """The even rectangle around a box, widened by `margin` of its size, inside the picture."""
    left, right = _span(box[0], box[2], margin, picture[0])
    top, bottom = _span(box[1], box[3], margin, picture[1])
    return left, top, right, bottom


def crop(picture: av.VideoFrame, rectangle: Rectangle) -> av.VideoFrame:
    """A copy of a part; the rectangle is one of `rectangle_of`."""
    planar = picture if picture.format.name in _PLANAR else reformatted(picture, "yuv420p")
    left, top, right, bottom = rectangle
    parts = [
        plane[top // step : bottom // step, left // step : right // step].reshape(-1)
        for plane, step in zip(_planes(planar), (1, 2, 2), strict=True)
    ]
    rows = np.concatenate(parts).reshape((bottom - top) * 3 // 2, right - left)
    part = av.VideoFrame.from_ndarray(rows, format=planar.format.name)
    part.colorspace, part.color_range = planar.colorspace, planar.color_range
    return part


def _span(begin: float, end: float, margin: float, length: int) -> tuple[int, int]:
    middle, half = (begin + end) / 2, max((end - begin) * (0.5 + margin), SMALLEST / 2)
    limit = length // 2 * 2
    first = min(max(int(middle - half) // 2 * 2, 0), max(limit - SMALLEST, 0))
    last = min(-(-int(np.ceil(middle + half)) // 2) * 2, limit)
    return first, max(last, min(first + SMALLEST, limit))


def _planes(picture: av.VideoFrame) -> Iterator[NDArray[np.uint8]]:
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        yield rows[: plane.height, : plane.width]
