"""MoveNet: the seventeen key points of one person."""

from dataclasses import replace

import numpy as np

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections, no_detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

KEY_POINTS = 17
SURE = 0.2  # key points below it do not shape the person's box


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - there is only one person
) -> Detections:
    """Reads [1, 1, 17, 3] (y, x, score, 0..1); one person whose confidence is the points' mean."""
    name = next(iter(outputs), "")
    if not name or outputs[name].shape[-2:] != (KEY_POINTS, 3):
        raise UnexpectedOutputs(manifest, "one output [1, 1, 17, 3]", outputs)
    points = as_floats(outputs, name, manifest).reshape(KEY_POINTS, 3)
    mean = points[:, 2].mean(keepdims=True)
    sure = points[points[:, 2] >= SURE]
    if mean[0] < confidence or not len(sure):
        return no_detections()
    xy = points[:, 1::-1] * np.asarray(resize.input_size, np.float32)
    shaping = sure[:, 1::-1] * np.asarray(resize.input_size, np.float32)
    xyxy = np.concatenate([shaping.min(axis=0), shaping.max(axis=0)])[None]
    person = to_detections(xyxy, mean, np.zeros(1, np.int64), manifest, resize)
    located = np.concatenate([resize.points_to_frame(xy), points[:, 2:]], axis=1)[None]
    return replace(person, key_points=located)
