"""Values on a model's grid laid over the frame the model was asked about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.inference.geometry import Resize


def over_frame(grid: NDArray[Any], resize: Resize, outside: float) -> NDArray[Any]:
    """A grid (..., h, w) that covers the model's input becomes one that covers the frame.

    Cells keep their size, so a grid of a stretched frame stays as it is; what the model did not see
    of the frame gets the value `outside`.
    """
    height, width = grid.shape[-2:]
    columns = _cells(resize, axis=0, cells=width)
    rows = _cells(resize, axis=1, cells=height)
    near_rows, near_columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    laid: NDArray[Any] = np.array(grid[..., near_rows[:, None], near_columns])
    laid[..., np.flatnonzero(rows != near_rows), :] = outside
    laid[..., np.flatnonzero(columns != near_columns)] = outside
    return laid


def boxes_of(masks: NDArray[np.bool_], frame_size: tuple[int, int]) -> NDArray[np.float32]:
    """The box (N, 4) in frame pixels around each mask (N, h, w) that covers the frame."""
    height, width = masks.shape[1:]
    x1, x2 = _span(np.logical_or.reduce(masks, axis=1), frame_size[0] / width)
    y1, y2 = _span(np.logical_or.reduce(masks, axis=2), frame_size[1] / height)
    return np.stack([x1, y1, x2, y2], axis=1).astype(np.float32)


def _span(is_hit: NDArray[np.bool_], per_cell: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where the hit cells (N, cells) of each row begin and end, in frame pixels."""
    last = is_hit.shape[1] - is_hit[:, ::-1].argmax(axis=1)
    return is_hit.argmax(axis=1) * per_cell, last * per_cell


def _cells(resize: Resize, *, axis: int, cells: int) -> NDArray[np.int64]:
    """For each cell over the frame the cell of the model's grid it lies in, along one axis."""
    per_cell = resize.input_size[axis] / cells  # input pixels
    count = max(1, round(resize.scaled_size[axis] / per_cell))
    centre = (np.arange(count) + 0.5) / count * resize.frame_size[axis]
    in_input = centre * resize.scale[axis] + resize.offset[axis]
    return np.floor(in_input / per_cell).astype(np.int64)
