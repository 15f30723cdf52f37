"""Masks as outlines that fit into a message: polygons in pixels of the frame, as COCO has them."""

import numpy as np
from numpy.typing import NDArray

Outline = tuple[int, ...]  # x1, y1, x2, y2, ... in pixels of the frame

MOST_POINTS = 1500  # of all objects of one frame, which is at most 15 kB of JSON
FEWEST_POINTS = 8  # of one object, however many there are
_COARSENESS = (0.7, 1.5, 3.0, 6.0, 12.0)  # cells an outline may be off, the finest first
_CORNERS = 3  # fewer enclose nothing


def outlines_of(masks: NDArray[np.bool_], frame_size: tuple[int, int]) -> list[tuple[Outline, ...]]:
    """The outlines of each mask (N, h, w) that covers a frame (width, height).

    An object's outlines are filled by the even-odd rule, so that one inside another is a hole.
    """
    budget = max(FEWEST_POINTS, MOST_POINTS // max(1, len(masks)))
    height, width = masks.shape[1:]
    cell = np.array([frame_size[0] / width, frame_size[1] / height])
    return [tuple(_placed(one, cell) for one in _traced(mask, budget)) for mask in masks]


def _traced(mask: NDArray[np.bool_], budget: int) -> list[NDArray[np.int32]]:
    """Polygons (K, 2) in cells, as fine as the budget of points allows."""
    import cv2  # noqa: PLC0415 - slow to import, and only models with masks need it

    cells = mask.astype(np.uint8)
    found, _ = cv2.findContours(cells, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    polygons: list[NDArray[np.int32]] = []
    for off in _COARSENESS:
        coarse = [np.asarray(cv2.approxPolyDP(one, off, closed=True), np.int32) for one in found]
        polygons = [one[:, 0] for one in coarse if len(one) >= _CORNERS]
        if sum(map(len, polygons)) <= budget:
            return polygons
    return _largest(polygons, budget)


def _largest(polygons: list[NDArray[np.int32]], budget: int) -> list[NDArray[np.int32]]:
    """Those that enclose most, as far as their points fit; the rest is left out."""
    import cv2  # noqa: PLC0415 - as above

    kept: list[NDArray[np.int32]] = []
    for polygon in sorted(polygons, key=cv2.contourArea, reverse=True):
        if len(polygon) <= budget:
            budget -= len(polygon)
            kept.append(polygon)
    return kept


def _placed(polygon: NDArray[np.int32], cell: NDArray[np.float64]) -> Outline:
    corners = (polygon + 0.5) * cell  # a contour goes through the middles of its cells
    return tuple(corners.round().astype(int).ravel().tolist())
