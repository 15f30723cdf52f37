"""FastestDet: one grid of objectness, box and class scores."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, logistic
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

OBJECT_POWER, CLASS_POWER = 0.6, 0.4
CERTAIN_CLASS = 0.99  # classes are shares of one: no cell below this can score enough
RANK = 4
BOX_CHANNELS = 5  # objectness, dx, dy, width, height; the classes follow


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads [1, 5+C, H, W], or [1, H, W, 5+C] from the TensorFlow files of the same network."""
    cells = _cells(outputs, manifest)  # (5+C, H, W)
    _, rows, columns = cells.shape
    y, x = np.nonzero(cells[0] >= CERTAIN_CLASS * confidence ** (1 / OBJECT_POWER))
    class_id, score = _scores(cells[0, y, x], cells[BOX_CHANNELS:, y, x])
    chosen = score >= confidence
    y, x, class_id, score = y[chosen], x[chosen], class_id[chosen], score[chosen]
    tx, ty, tw, th = cells[1:BOX_CHANNELS, y, x]
    grid = np.asarray((columns, rows), np.float32)
    centre = (np.stack([x, y], axis=1) + np.tanh(np.stack([tx, ty], axis=1))) / grid
    size = logistic(np.stack([tw, th], axis=1))
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    xyxy = (xyxy * np.asarray(resize.input_size * 2, np.float32)).astype(np.float32)
    kept = suppress_by_class(xyxy, score, class_id, iou)
    return to_detections(xyxy[kept], score[kept], class_id[kept], manifest, resize)


def _scores(
    objectness: NDArray[np.float32], classes: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The best class (N,) of each cell and what it scores; `classes` is (C, N)."""
    class_id = classes.argmax(axis=0)
    best = np.take_along_axis(classes, class_id[None], axis=0)[0]
    score = np.maximum(objectness, 0) ** OBJECT_POWER * np.maximum(best, 0) ** CLASS_POWER
    return class_id, score


def _cells(outputs: Tensors, manifest: ModelManifest) -> NDArray[np.float32]:
    channels = BOX_CHANNELS + len(manifest.labels)
    name, tensor = next(iter(outputs.items()), ("", np.empty(0)))
    if tensor.ndim == RANK and tensor.shape[1] == channels:
        return as_floats(outputs, name, manifest)
    if tensor.ndim == RANK and tensor.shape[3] == channels:
        return as_floats(outputs, name, manifest).transpose(2, 0, 1)
    expected = f"one output [1, {channels}, H, W] (5 + {len(manifest.labels)} labels)"
    raise UnexpectedOutputs(manifest, expected, outputs)
