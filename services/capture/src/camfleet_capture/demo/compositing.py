"""How things enter a frame: laid over it, darkening it, lighting it up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


def _overlap(
    frame: Frame, left: int, top: int, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """The part of the frame and the part of the thing where both are."""
    height, width = frame.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + shape[1], width), min(top + shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return None
    here = (slice(y0, y1), slice(x0, x1))
    return here, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def blend(
    frame: Frame,
    corner: tuple[int, int],
    colour: NDArray[np.uint16],
    behind: NDArray[np.uint16],
    light: NDArray[np.uint16] | None = None,
) -> None:
    """Put pixels (multiplied by alpha) into the frame; light is 256 for as they are."""
    places = _overlap(frame, *corner, colour.shape)
    if places is None:
        return
    here, part = places
    lit = colour[part] * (np.uint16(256) if light is None else light)
    frame[here] = (lit + frame[here] * behind[part]) >> 8


def darken(
    frame: Frame, corner: tuple[int, int], darkness: NDArray[np.uint16], strength: int
) -> None:
    """Darken the frame by darkness (of 256) times strength (of 256)."""
    places = _overlap(frame, *corner, darkness.shape)
    if places is None:
        return
    here, part = places
    left_over = np.uint16(256) - (darkness[part] * np.uint16(strength) >> 8)
    frame[here] = frame[here] * left_over >> 8


def brighten(frame: Frame, corner: tuple[int, int], shine: NDArray[np.uint16]) -> None:
    """Add light to the frame."""
    places = _overlap(frame, *corner, shine.shape)
    if places is None:
        return
    here, part = places
    frame[here] = np.minimum(frame[here] + shine[part], 255)
