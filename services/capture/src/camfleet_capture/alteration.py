"""What is done to pictures before anybody sees them: turned, and parts blacked out."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from camfleet_contracts.capturing import Capturing

_BLACK, _NO_COLOUR = 16, 128
_Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]  # Y, U and V


@dataclass(frozen=True, slots=True)
class Alteration:
    """How the pictures of one camera are altered."""

    quarter_turns: int = 0  # clockwise
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is altered: then the pictures must be encoded."""
        return bool(self.quarter_turns or self.polygons)

    def __str__(self) -> str:
        """Say what is done, for the operator."""
        turned = [f"rotated {self.quarter_turns * 90}"] if self.quarter_turns else []
        return ", ".join([*turned, *(["masked"] if self.polygons else [])])

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of an altered picture."""
        return (height, width) if self.quarter_turns % 2 else (width, height)

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """Return the altered picture, in even size and 4:2:0, without a time."""
        width, height = frame.width // 2 * 2, frame.height // 2 * 2
        planes = [
            np.rot90(plane, -self.quarter_turns) for plane in _planes_of(frame, width, height)
        ]
        altered = [np.ascontiguousarray(plane) for plane in planes]
        self._mask((altered[0], altered[1], altered[2]))
        turned = np.concatenate([plane.reshape(-1) for plane in altered])
        width, height = self.size_of(width, height)
        return VideoFrame.from_ndarray(turned.reshape(-1, width), format="yuv420p")

    def _mask(self, planes: _Planes) -> None:
        for plane, value in zip(planes, (_BLACK, _NO_COLOUR, _NO_COLOUR), strict=True):
            height, width = plane.shape
            for polygon in self.polygons:
                plane[_inside(polygon, width, height)] = value


NOTHING = Alteration()


def alteration_of(capturing: Capturing) -> Alteration:
    """Return what cameras.yaml wants done."""
    return Alteration(capturing.rotation // 90, capturing.polygons)


def _planes_of(frame: VideoFrame, width: int, height: int) -> _Planes:
    flat = frame.reformat(width, height, "yuv420p").to_ndarray()
    octets, luma = flat.reshape(-1).astype(np.uint8, copy=False), width * height
    chroma = luma // 4
    half = height // 2, width // 2
    return (
        octets[:luma].reshape(height, width),
        octets[luma : luma + chroma].reshape(half),
        octets[luma + chroma : luma + 2 * chroma].reshape(half),
    )


@lru_cache(maxsize=64)
def _inside(polygon: tuple[tuple[float, float], ...], width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels a polygon touches; its border belongs to it."""
    picture = Image.new("1", (width, height))
    corners = [(x * width, y * height) for x, y in polygon]
    ImageDraw.Draw(picture).polygon(corners, fill=1, outline=1)
    return np.asarray(picture)
