"""Turns pictures and blacks out parts of them."""

from functools import lru_cache

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from camfleet_capture.alteration import Polygon
from camfleet_capture.video_range import as_video

_BLACK, _NO_COLOUR = 16, 128
_Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]  # Y, U and V


def alter(frame: VideoFrame, quarter_turns: int, polygons: tuple[Polygon, ...]) -> VideoFrame:
    """Return the altered picture, in even size and 4:2:0, without a time."""
    width, height = frame.width // 2 * 2, frame.height // 2 * 2
    planes = [np.rot90(plane, -quarter_turns) for plane in _planes_of(frame, width, height)]
    altered = [np.ascontiguousarray(plane) for plane in planes]
    _mask((altered[0], altered[1], altered[2]), polygons)
    turned = np.concatenate([plane.reshape(-1) for plane in altered])
    width = height if quarter_turns % 2 else width
    return VideoFrame.from_ndarray(turned.reshape(-1, width), format="yuv420p")


def _mask(planes: _Planes, polygons: tuple[Polygon, ...]) -> None:
    for plane, value in zip(planes, (_BLACK, _NO_COLOUR, _NO_COLOUR), strict=True):
        height, width = plane.shape
        for polygon in polygons:
            plane[_inside(polygon, width, height)] = value


def _planes_of(frame: VideoFrame, width: int, height: int) -> _Planes:
    flat = as_video(frame, width, height).to_ndarray()
    octets, luma = flat.reshape(-1).astype(np.uint8, copy=False), width * height
    chroma = luma // 4
    half = height // 2, width // 2
    return (
        octets[:luma].reshape(height, width),
        octets[luma : luma + chroma].reshape(half),
        octets[luma + chroma : luma + 2 * chroma].reshape(half),
    )


@lru_cache(maxsize=64)
def _inside(polygon: Polygon, width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels a polygon touches; its border belongs to it."""
    picture = Image.new("1", (width, height))
    corners = [(x * width, y * height) for x, y in polygon]
    ImageDraw.Draw(picture).polygon(corners, fill=1, outline=1)
    return np.asarray(picture)
