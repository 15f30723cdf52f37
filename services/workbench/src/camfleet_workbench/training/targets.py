"""Which cell of which grid has to find which object."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camfleet_workbench.training.last_layer import Floats

NONE = -1
_GROWTH = 2.5  # a grid looks for objects of about one to this many times four cells


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one stride, row by row."""

    stride: int
    corners: Floats  # (cells, 2): column and row
    sizes: tuple[float, float]  # least and greatest root of an object's area in pixels

    @property
    def centres(self) -> Floats:
        """In pixels of the model's input, (cells, 2)."""
        return (self.corners + 0.5) * self.stride

    def boxes(self, raw: Floats, cells: NDArray[np.int64]) -> Floats:
        """x1, y1, x2, y2 in pixels from the first four outputs of these cells."""
        centre = (raw[:, :2] + self.corners[cells]) * self.stride
        half = np.exp(np.minimum(raw[:, 2:4], 6)) * self.stride / 2
        return np.concatenate([centre - half, centre + half], axis=1)

    def assigned(self, boxes: Floats) -> NDArray[np.int64]:
        """For every cell the row of its object, or NONE; the smallest object wins."""
        chosen = np.full(len(self.corners), NONE, np.int64)
        spans = boxes[:, 2:] - boxes[:, :2]
        roots = np.sqrt(np.prod(spans, axis=1))
        for row in np.argsort(-roots):
            if not self.sizes[0] <= roots[row] <= self.sizes[1]:
                continue
            middle = (boxes[row, :2] + boxes[row, 2:]) / 2
            reach = np.clip(spans[row] / 2, self.stride * 0.5, self.stride * 1.5)
            chosen[(np.abs(self.centres - middle) <= reach).all(axis=1)] = row
        return chosen


def grids_of(size: tuple[int, int], strides: Sequence[int]) -> list[Grid]:
    """The grids of an input (width, height); their ranges of sizes overlap."""
    grids = []
    for number, stride in enumerate(strides):
        y, x = np.mgrid[: size[1] // stride, : size[0] // stride]
        corners = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
        least = 0.0 if number == 0 else stride * 1.7
        most = float("inf") if number == len(strides) - 1 else stride * _GROWTH * 2.2
        grids.append(Grid(stride, corners, (least, most)))
    return grids


def overlaps(one: Floats, other: Floats) -> Floats:
    """Intersection over union of pairs of boxes (N, 4)."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (one, other)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-6), np.float32)
