"""How much of a mover can be seen: judged by boxes, as (x1, y1, x2, y2) in pixels."""

from __future__ import annotations

import numpy as np

from camfleet_capture.demo.lens import HEIGHT, WIDTH

LEAST_SEEN = 0.3  # part of a box that must be in the picture and not hidden
Box = tuple[float, float, float, float]


def part_in_picture(box: Box) -> Box | None:
    """The part of the box in the picture, relative; None if too little of it is left."""
    x1, y1, x2, y2 = box
    left, top, right, bottom = max(x1, 0.0), max(y1, 0.0), min(x2, WIDTH), min(y2, HEIGHT)
    if left >= right or top >= bottom:
        return None
    if (right - left) * (bottom - top) < LEAST_SEEN * (x2 - x1) * (y2 - y1):
        return None
    return left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT


def seen_part(box: Box, nearer: list[Box]) -> float:
    """Part of a box that no nearer box hides, judged on a grid of its points."""
    x1, y1, x2, y2 = box
    hiding = [b for b in nearer if b[0] < x2 and b[2] > x1 and b[1] < y2 and b[3] > y1]
    if not hiding:
        return 1.0
    x = x1 + (x2 - x1) * (np.arange(6) + 0.5)[None] / 6
    y = y1 + (y2 - y1) * (np.arange(8) + 0.5)[:, None] / 8
    hidden = np.zeros((8, 6), dtype=bool)
    for left, top, right, bottom in hiding:
        hidden |= (x > left) & (x < right) & (y > top) & (y < bottom)
    return float(1 - hidden.mean())
