"""Decoding of the detector's output and average precision, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """Detections of one frame, the most confident first; boxes are x1 y1 x2 y2."""

    boxes: Floats  # (N, 4)
    scores: Floats  # (N,)
    labels: NDArray[np.int64]  # (N,)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really in a frame."""

    boxes: Floats
    labels: NDArray[np.int64]


def decoded(raw: Floats, size: tuple[int, int], strides: tuple[int, ...]) -> Floats:
    """Raw output (cells, 5 + classes) as x1 y1 x2 y2 and a score per class."""
    cells = []
    for stride in strides:
        columns, rows = size[0] // stride, size[1] // stride
        y, x = np.mgrid[0:rows, 0:columns]
        cells.append(np.stack((x.ravel(), y.ravel(), np.full(rows * columns, stride)), 1))
    grid = np.concatenate(cells).astype(np.float32)
    centre = (raw[:, :2] + grid[:, :2]) * grid[:, 2:]
    half = np.exp(raw[:, 2:4]) * grid[:, 2:] / 2
    return np.concatenate((centre - half, centre + half, raw[:, 4:5] * raw[:, 5:]), 1)


def detections(cells: Floats, confidence: float, iou: float) -> Found:
    """The best class of each cell above a confidence, without its overlapping doubles."""
    scores, labels = cells[:, 4:].max(1), cells[:, 4:].argmax(1)
    likely = np.flatnonzero(scores >= confidence)
    order = likely[np.argsort(-scores[likely], kind="stable")][:400]
    boxes, kept = cells[:, :4], []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        same = (overlaps(boxes[best : best + 1], boxes[rest])[0] > iou) & (
            labels[rest] == labels[best]
        )
        order = rest[~same]
    return Found(boxes[kept], scores[kept], labels[kept])


def overlaps(one: Floats, other: Floats) -> Floats:
    """Intersection over union of every box of one with every box of the other."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), 2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], 1) for boxes in (one, other)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9))


def average_precision(
    found: list[Found], truth: list[Truth], label: int, iou: float = 0.5
) -> float:
    """Area below the interpolated precision-recall curve (all points) of one class."""
    scores, hits = matched(found, truth, label, iou)
    wanted = sum(int((frame.labels == label).sum()) for frame in truth)
    right = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    recall = np.concatenate(([0.0], right / max(wanted, 1), [1.0]))
    precision = np.concatenate(([1.0], right / np.arange(1, len(right) + 1), [0.0]))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * best[1:]))


def matched(
    found: list[Found], truth: list[Truth], label: int, iou: float = 0.5
) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores of all detections of a class and whether each is the first on a true box."""
    scores, hits = [], []
    for seen, real in zip(found, truth, strict=True):
        mine = seen.labels == label
        boxes, free = real.boxes[real.labels == label], []
        free = [True] * len(boxes)
        shared = overlaps(seen.boxes[mine], boxes)
        for row, score in enumerate(seen.scores[mine]):
            candidates = [
                (shared[row, column], column) for column in range(len(boxes)) if free[column]
            ]
            best, column = max(candidates, default=(0.0, -1))
            if best >= iou:
                free[column] = False
            scores.append(score)
            hits.append(best >= iou)
    return np.array(scores, np.float32), np.array(hits, bool)
