"""YOLOv8 (also v9, 11, 12 and RT-DETR): a box and class scores, with key points or masks."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.decoders.yolo_extras import Extras, in_pixels
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

RANK = 3
BOX = 4


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads [1, 4+C+E, N] or [1, N, 4+C+E]: centre and size, classes after their sigmoid, extras.

    Boxes are in input pixels, or all of them shares of the input. Extras are
    `parameters.key_points` times x, y, score (the pose models), or as many mask coefficients as a
    second output [1, E, h, w] has prototypes (the segmentation models).
    """
    extras, classes = Extras.of(outputs, manifest), len(manifest.labels)
    rows = _rows(outputs, manifest, extras)
    scores = rows[:, BOX : BOX + classes]
    class_id = scores.argmax(axis=1)
    score = scores[np.arange(len(rows)), class_id]
    chosen = np.flatnonzero(score >= confidence)
    picked = in_pixels(rows, extras, resize)[chosen]
    centre, size = picked[:, :2], picked[:, 2:BOX]
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    kept = suppress_by_class(xyxy, score[chosen], class_id[chosen], iou)
    chosen = chosen[kept]
    found = to_detections(xyxy[kept], score[chosen], class_id[chosen], manifest, resize)
    return extras.added(found, picked[kept, BOX + classes :], resize)


def _rows(outputs: Tensors, manifest: ModelManifest, extras: Extras) -> NDArray[np.float32]:
    """The boxes (N, 4+C+E)."""
    classes = len(manifest.labels)
    height = BOX + classes + extras.count
    for name, tensor in outputs.items():
        if tensor.ndim == RANK and height in tensor.shape[1:]:
            table = as_floats(outputs, name, manifest)
            return table.T if table.shape[0] == height else table
    expected = f"an output [1, {height}, N] (4 + {classes} labels + {extras.count} extras)"
    raise UnexpectedOutputs(manifest, expected, outputs)
