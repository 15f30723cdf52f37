"""YOLOX: three grids in one list; centres and sizes still relative to their grid."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, parameters_of
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

DEFAULT_STRIDES = (8, 16, 32)


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads [1, cells, 5+C], scores after their sigmoid; and `parameters.strides`."""
    strides = tuple(parameters_of(manifest).get("strides", DEFAULT_STRIDES))
    corner, stride = _grid(resize.input_size, strides)
    name = next(iter(outputs), "")
    expected = [1, len(corner), 5 + len(manifest.labels)]
    if not name or list(outputs[name].shape) != expected:
        raise UnexpectedOutputs(manifest, f"one output {expected}", outputs)
    rows = as_floats(outputs, name, manifest)
    class_id = rows[:, 5:].argmax(axis=1)
    score = rows[:, 4] * rows[np.arange(len(rows)), 5 + class_id]
    chosen = np.flatnonzero(score >= confidence)
    centre = (rows[chosen, :2] + corner[chosen]) * stride[chosen]
    size = np.exp(rows[chosen, 2:4]) * stride[chosen]
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    kept = suppress_by_class(xyxy, score[chosen], class_id[chosen], iou)
    chosen = chosen[kept]
    return to_detections(xyxy[kept], score[chosen], class_id[chosen], manifest, resize)


def _grid(
    input_size: tuple[int, int], strides: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Grid corners (N, 2) and strides (N, 1) of all cells, in the order of the output's rows."""
    corners = []
    for stride in strides:
        y, x = np.mgrid[: input_size[1] // stride, : input_size[0] // stride]
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))
    spans = [
        np.full((len(corner), 1), stride, np.float32)
        for corner, stride in zip(corners, strides, strict=True)
    ]
    return np.concatenate(corners), np.concatenate(spans)
