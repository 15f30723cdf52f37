"""SSD with its post-processing inside the model: rows of image, class, score and box."""

import numpy as np

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, find_by_last_axis
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

ROW = 7  # image, class, score, x1, y1, x2, y2 (0..1)


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - the model has suppressed already
) -> Detections:
    """Reads [1, 1, N, 7], as DetectionOutput of OpenVINO and Caffe answers."""
    name = find_by_last_axis(outputs, ROW)
    if name is None:
        raise UnexpectedOutputs(manifest, "an output [1, 1, N, 7]", outputs)
    rows = as_floats(outputs, name, manifest).reshape(-1, ROW)
    rows = rows[(rows[:, 0] >= 0) & (rows[:, 2] >= confidence)]
    xyxy = rows[:, 3:] * np.asarray(resize.input_size * 2, np.float32)
    return to_detections(xyxy, rows[:, 2], rows[:, 1].astype(np.int64), manifest, resize)
