"""YOLOv3 and v4 without their region layers: one grid of raw values per stride."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import (
    Tensors,
    UnexpectedOutputs,
    as_floats,
    logistic,
    parameters_of,
)
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

# Anchor boxes (width, height) in input pixels, finest grid first: those of YOLOv3's COCO models.
DEFAULT_ANCHORS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
RANK = 4


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads grids [1, A*(5+C), h, w] or [1, h, w, A*(5+C)], values before their sigmoid.

    `parameters`: `anchors` (a list of [width, height] per grid, finest grid first) and
    `scale_xy` (1, v4 has 1.05 to 1.2; one number, or one a grid).
    """
    parameters = parameters_of(manifest)
    anchors: Sequence[Sequence[Sequence[float]]] = parameters.get("anchors", DEFAULT_ANCHORS)
    scales = np.broadcast_to(parameters.get("scale_xy", 1.0), (len(anchors),))
    grids = _grids(outputs, manifest, anchors)
    parts = [
        _boxes(grid, np.asarray(sizes, np.float32), float(scale), resize.input_size)
        for grid, sizes, scale in zip(grids, anchors, scales, strict=True)
    ]
    xyxy, score, class_id = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    chosen = np.flatnonzero(score >= confidence)
    kept = chosen[suppress_by_class(xyxy[chosen], score[chosen], class_id[chosen], iou)]
    return to_detections(xyxy[kept], score[kept], class_id[kept], manifest, resize)


def _grids(
    outputs: Tensors, manifest: ModelManifest, anchors: Sequence[Sequence[Sequence[float]]]
) -> list[NDArray[np.float32]]:
    """The grids as (h, w, A, 5+C), the finest first."""
    width = 5 + len(manifest.labels)
    channels = {len(sizes) * width for sizes in anchors}
    grids = []
    for name, tensor in outputs.items():
        if tensor.ndim != RANK or not channels & {tensor.shape[1], tensor.shape[3]}:
            continue
        grid = as_floats(outputs, name, manifest)
        grid = grid.transpose(1, 2, 0) if tensor.shape[1] in channels else grid
        grids.append(grid.reshape(*grid.shape[:2], -1, width))
    grids.sort(key=lambda grid: -grid.shape[0] * grid.shape[1])
    if len(grids) != len(anchors):
        wanted = " or ".join(str(count) for count in sorted(channels))
        expected = f"{len(anchors)} grids [1, {wanted}, h, w] (anchors x (5 + labels))"
        raise UnexpectedOutputs(manifest, expected, outputs)
    return grids


def _boxes(
    grid: NDArray[np.float32], sizes: NDArray[np.float32], scale: float, input_size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Boxes (N, 4) in input pixels, scores and classes of all anchors of one grid."""
    rows, columns = grid.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    corner = np.stack([x, y], axis=2)[:, :, None]
    inside = logistic(grid[..., :2]) * scale - (scale - 1) / 2
    per_cell = np.asarray(input_size, np.float32) / (columns, rows)
    centre = (inside + corner) * per_cell
    half = np.exp(np.minimum(grid[..., 2:4], 20)) * sizes / 2
    classes = logistic(grid[..., 5:])
    class_id = classes.argmax(axis=-1)
    score = logistic(grid[..., 4]) * classes.max(axis=-1)
    xyxy = np.concatenate([centre - half, centre + half], axis=-1).reshape(-1, 4)
    return xyxy.astype(np.float32), score.ravel(), class_id.ravel()
