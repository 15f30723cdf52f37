"""SSD without its post-processing: boxes relative to anchors, and class scores."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import (
    Tensors,
    UnexpectedOutputs,
    as_floats,
    find_by_last_axis,
    parameters_of,
)
from camfleet.decoders.suppression import suppress, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

DEFAULT_SCALES = (10.0, 10.0, 5.0, 5.0)  # what y, x, height and width were multiplied with
DEFAULT_GRIDS = (19, 10, 5, 3, 2, 1)  # of a 300 x 300 input
SMALLEST, LARGEST = 0.2, 0.95  # anchor sizes relative to the input
RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads boxes [1, N, 4] (y, x, h, w) and scores [1, N, 1+C], class 0 being the background.

    `parameters`: `anchors` [[cy, cx, h, w]] or `grids`, `scales`, `quantization`, `max_detections`.
    """
    parameters = parameters_of(manifest)
    boxes = find_by_last_axis(outputs, 4)
    scores = next((name for name in outputs if name != boxes), None)
    anchors = _anchors_of(parameters)
    if boxes is None or scores is None or outputs[boxes].shape[1:] != anchors.shape:
        raise UnexpectedOutputs(manifest, f"[1, {len(anchors)}, 4] and class scores", outputs)
    table = as_floats(outputs, scores, manifest)[:, 1:]
    class_id = table.argmax(axis=1)
    score = table[np.arange(len(table)), class_id]
    chosen = np.flatnonzero(score >= confidence)
    relative = as_floats(outputs, boxes, manifest)[chosen]
    xyxy = _decode_against(anchors[chosen], relative, parameters)
    xyxy = xyxy * np.asarray(resize.input_size * 2, np.float32)
    kept = suppress(xyxy, score[chosen], iou)[: parameters.get("max_detections", 100)]
    chosen = chosen[kept]
    return to_detections(xyxy[kept], score[chosen], class_id[chosen] + 1, manifest, resize)


def _decode_against(
    anchors: NDArray[np.float32], relative: NDArray[np.float32], parameters: Mapping[str, Any]
) -> NDArray[np.float32]:
    scaled = relative / np.asarray(parameters.get("scales", DEFAULT_SCALES), np.float32)
    centre = scaled[:, :2] * anchors[:, 2:] + anchors[:, :2]  # y, x
    size = np.exp(scaled[:, 2:]) * anchors[:, 2:]
    return np.concatenate([(centre - size / 2)[:, ::-1], (centre + size / 2)[:, ::-1]], axis=1)


def _anchors_of(parameters: Mapping[str, Any]) -> NDArray[np.float32]:
    if "anchors" in parameters:
        return np.array(parameters["anchors"], dtype=np.float32)
    return _grid_anchors(tuple(parameters.get("grids", DEFAULT_GRIDS)))


@lru_cache(maxsize=4)
def _grid_anchors(grids: tuple[int, ...]) -> NDArray[np.float32]:
    """The anchors (N, 4) of the usual generator: three in the finest grid, six in the others."""
    steps = [SMALLEST + (LARGEST - SMALLEST) * i / (len(grids) - 1) for i in range(len(grids))]
    steps.append(1.0)
    rows: list[tuple[float, float, float, float]] = []
    for level, cells in enumerate(grids):
        shapes = _shapes(steps[level], steps[level + 1], finest=level == 0)
        for cell in range(cells * cells):
            y, x = divmod(cell, cells)
            rows.extend([((y + 0.5) / cells, (x + 0.5) / cells, h, w) for h, w in shapes])
    return np.array(rows, dtype=np.float32)


def _shapes(size: float, next_size: float, *, finest: bool) -> list[tuple[float, float]]:
    """(height, width) of the anchors of one cell."""
    if finest:
        pairs = [(0.1, 1.0), (size, 2.0), (size, 0.5)]
    else:
        pairs = [(size, ratio) for ratio in RATIOS] + [((size * next_size) ** 0.5, 1.0)]
    return [(side / ratio**0.5, side * ratio**0.5) for side, ratio in pairs]
