"""What YOLO models say beside boxes and classes: key points, or coefficients of masks."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.masks import over_frame
from camfleet.decoders.outputs import Tensors, as_floats, parameters_of
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

PROTOTYPES_RANK = 4
POINT = 3  # x, y, score
_LARGEST_SHARE = 2.0  # in pixels, the largest number of all boxes is beyond it


@dataclass(frozen=True)
class Extras:
    """`count` columns of a table: of key points, or one for each of the prototypes (E, h, w)."""

    count: int
    prototypes: NDArray[np.float32] | None

    @classmethod
    def of(cls, outputs: Tensors, manifest: ModelManifest) -> "Extras":
        """As the outputs and `parameters.key_points` say."""
        names = [n for n, t in outputs.items() if t.ndim == PROTOTYPES_RANK]
        if not names:
            return cls(POINT * int(parameters_of(manifest).get("key_points", 0)), None)
        prototypes = as_floats(outputs, names[0], manifest)
        if manifest.preprocess and manifest.preprocess.layout == "NHWC":  # TensorFlow's order
            prototypes = prototypes.transpose(2, 0, 1)
        return cls(len(prototypes), prototypes)

    def added(self, found: Detections, values: NDArray[np.float32], resize: Resize) -> Detections:
        """The detections with what their `values` (N, count) say; points in input pixels."""
        if not len(found) or not self.count:
            return found
        if self.prototypes is not None:
            return replace(found, masks=_masks(values, self.prototypes, found, resize))
        points = values.reshape(len(values), -1, POINT)
        placed = resize.points_to_frame(points[..., :2])
        return replace(found, key_points=np.concatenate([placed, points[..., 2:]], axis=2))


def in_pixels(table: NDArray[np.float32], extras: Extras, resize: Resize) -> NDArray[np.float32]:
    """A table (N, 4+...+E) with boxes and points in input pixels.

    Exports to TFLite, and transformers, have them as shares of the input.
    """
    if not len(table) or table[:, :4].max() > _LARGEST_SHARE:
        return table
    scaled = table.copy()
    scaled[:, :4] *= np.asarray(resize.input_size * 2, np.float32)
    if extras.prototypes is None and extras.count:
        points = scaled[:, -extras.count :].reshape(len(scaled), -1, POINT)
        points[..., :2] *= np.asarray(resize.input_size, np.float32)
    return scaled


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
