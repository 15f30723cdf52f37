"""YOLOv8 (also v9, 11 and 12): columns of box and class scores, with key points or masks."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.masks import over_frame
from camfleet.decoders.outputs import (
    Tensors,
    UnexpectedOutputs,
    as_floats,
    parameters_of,
)
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

RANK, PROTOTYPES_RANK = 3, 4
BOX = 4


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads [1, 4+C+E, N]: centre and size in input pixels, classes after their sigmoid, extras.

    Extras are `parameters.key_points` times x, y, score (the pose models), or as many mask
    coefficients as a second output [1, E, h, w] has prototypes (the segmentation models).
    """
    head = _Head(outputs, manifest)
    columns = head.columns
    classes = columns[BOX : BOX + head.classes]
    class_id = classes.argmax(axis=0)
    score = classes[class_id, np.arange(columns.shape[1])]
    chosen = np.flatnonzero(score >= confidence)
    centre, size = columns[:2, chosen].T, columns[2:BOX, chosen].T
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    kept = suppress_by_class(xyxy, score[chosen], class_id[chosen], iou)
    chosen = chosen[kept]
    found = to_detections(xyxy[kept], score[chosen], class_id[chosen], manifest, resize)
    if not len(found):
        return found
    extras = columns[BOX + head.classes :, chosen].T
    if head.prototypes is not None:
        return replace(found, masks=_masks(extras, head.prototypes, found, resize))
    return replace(found, key_points=_key_points(extras, resize)) if extras.size else found


@dataclass(frozen=True)
class _Head:
    """The outputs, told apart."""

    outputs: Tensors
    manifest: ModelManifest

    @cached_property
    def classes(self) -> int:
        return len(self.manifest.labels)

    @cached_property
    def prototypes(self) -> NDArray[np.float32] | None:
        """The prototypes (E, h, w) of masks, if the model makes them."""
        names = [n for n, t in self.outputs.items() if t.ndim == PROTOTYPES_RANK]
        return as_floats(self.outputs, names[0], self.manifest) if names else None

    @cached_property
    def columns(self) -> NDArray[np.float32]:
        """The boxes (4+C+E, N)."""
        points = int(parameters_of(self.manifest).get("key_points", 0))
        extras = 3 * points if self.prototypes is None else len(self.prototypes)
        height = BOX + self.classes + extras
        for name, tensor in self.outputs.items():
            if tensor.ndim == RANK and height in tensor.shape[1:]:
                table = as_floats(self.outputs, name, self.manifest)
                return table if table.shape[0] == height else table.T
        expected = f"an output [1, {height}, N] (4 + {self.classes} labels + {extras} extras)"
        raise UnexpectedOutputs(self.manifest, expected, self.outputs)


def _key_points(extras: NDArray[np.float32], resize: Resize) -> NDArray[np.float32]:
    points = extras.reshape(len(extras), -1, 3)
    return np.concatenate([resize.points_to_frame(points[..., :2]), points[..., 2:]], axis=2)


def _masks(
    coefficients: NDArray[np.float32],
    prototypes: NDArray[np.float32],
    found: Detections,
    resize: Resize,
) -> NDArray[np.bool_]:
    """Masks (N, h, w) over the frame, each cut at its box."""
    count, height, width = prototypes.shape
    logits = (coefficients @ prototypes.reshape(count, -1)).reshape(-1, height, width)
    # A logit above 0 is a probability above one half.
    masks: NDArray[np.bool_] = over_frame(logits, resize, -1.0) > 0
    rows, columns = masks.shape[1:]
    per_cell = np.asarray(resize.frame_size * 2, np.float32) / (columns, rows, columns, rows)
    x1, y1, x2, y2 = (found.xyxy / per_cell).T[:, :, None]
    x, y = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    inside = ((y >= y1) & (y <= y2))[:, :, None] & ((x >= x1) & (x <= x2))[:, None, :]
    masks &= inside
    return masks
