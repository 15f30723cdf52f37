"""Which cell of which grid has to find which box, and the loss that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from network import STRIDES
from street_frames import INPUT_HEIGHT, INPUT_WIDTH
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Least and greatest size (root of the area, pixels) of the boxes of a stride; they overlap.
SIZES = {4: (0.0, 20.0), 8: (13.0, 46.0), 16: (32.0, 1e9)}
NONE = -1


def cell_grid() -> NDArray[np.float32]:
    """Column, row and stride of every cell, (cells, 3)."""
    grids = []
    for stride in STRIDES:
        y, x = np.mgrid[0 : INPUT_HEIGHT // stride, 0 : INPUT_WIDTH // stride]
        grids.append(np.stack((x.ravel(), y.ravel(), np.full(x.size, stride)), 1))
    return np.concatenate(grids).astype(np.float32)


_GRID = cell_grid()
_CENTRES = (_GRID[:, :2] + 0.5) * _GRID[:, 2:]
_LEAST, _MOST = (np.array([SIZES[int(s)][end] for s in _GRID[:, 2]]) for end in (0, 1))


def assigned(boxes: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int8]:
    """For every cell the number of its box in this frame, or NONE; the smallest box wins."""
    chosen = np.full(len(_GRID), NONE, np.int8)
    sizes = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], 1))
    for row in sorted(np.flatnonzero(labels >= 0), key=lambda row: -sizes[row]):
        middle, half = (boxes[row, :2] + boxes[row, 2:]) / 2, (boxes[row, 2:] - boxes[row, :2]) / 2
        reach = np.minimum(np.maximum(half[None], _GRID[:, 2:] * 0.5), _GRID[:, 2:] * 1.5)
        near = (np.abs(_CENTRES - middle) <= reach).all(1)
        chosen[near & (sizes[row] >= _LEAST) & (sizes[row] <= _MOST)] = row
    return chosen


def loss_of(raw: Tensor, grid: Tensor, boxes: Tensor, labels: Tensor, chosen: Tensor) -> Tensor:
    """Loss of a batch: overlap of the boxes, objectness that knows the overlap, class."""
    frame, cell = torch.nonzero(chosen >= 0, as_tuple=True)
    row = chosen[frame, cell]
    picked, place = raw[frame, cell], grid[cell]
    centre = (picked[:, :2] + place[:, :2]) * place[:, 2:]
    half = picked[:, 2:4].clamp(max=6).exp() * place[:, 2:] / 2
    predicted = torch.cat((centre - half, centre + half), 1)
    overlap, penalty = generous_overlap(predicted, boxes[frame, row])
    wanted = torch.zeros_like(raw[..., 4])
    wanted[frame, cell] = overlap.detach().clamp(min=0)
    kinds = torch.nn.functional.one_hot(labels[frame, row], raw.shape[-1] - 5).float()
    count = max(len(row), 1)
    objectness = cross_entropy(raw[..., 4], wanted, reduction="sum") / count
    classes = cross_entropy(picked[:, 5:], kinds, reduction="sum") / count
    return 3.0 * (1 - penalty).sum() / count + 1.5 * objectness + classes


def generous_overlap(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of pairs of boxes, and its generalised form (GIoU)."""
    low, high = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])
    common = (high - low).clamp(min=0).prod(1)
    union = (one[:, 2:] - one[:, :2]).prod(1) + (other[:, 2:] - other[:, :2]).prod(1) - common
    outer = (
        torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])
    ).prod(1)
    overlap = common / union.clamp(min=1e-6)
    return overlap, overlap - (outer - union) / outer.clamp(min=1e-6)
