"""YOLOv10 (also end-to-end exports of others): rows that need no suppression."""

import numpy as np

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, find_by_last_axis
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

ROW = 6  # x1, y1, x2, y2 in input pixels, score, class


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - the model gives one box an object
) -> Detections:
    """Reads [1, N, 6]."""
    name = find_by_last_axis(outputs, ROW)
    if name is None:
        raise UnexpectedOutputs(manifest, "an output [1, N, 6]", outputs)
    rows = as_floats(outputs, name, manifest).reshape(-1, ROW)
    rows = rows[rows[:, 4] >= confidence]
    class_id = rows[:, 5].round().astype(np.int64)
    return to_detections(rows[:, :4], rows[:, 4], class_id, manifest, resize)
