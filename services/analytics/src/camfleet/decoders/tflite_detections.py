"""TFLite_Detection_PostProcess: an SSD that has suppressed already, in four outputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, parameters_of
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

BOXES_RANK, ROWS_RANK = 3, 2


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - the model has suppressed already
) -> Detections:
    """Reads boxes [1, N, 4] (top, left, bottom, right; 0..1), classes and scores [1, N], and N.

    `parameters.label_offset` (0) is added to a class to find its label: 1 where the label file
    begins with the background and the model does not.
    """
    boxes, classes, scores = _tensors(outputs, manifest)
    count = next((int(t.ravel()[0]) for t in outputs.values() if t.size == 1), len(scores))
    chosen = np.flatnonzero(scores[:count] >= confidence)
    xyxy = boxes[chosen][:, [1, 0, 3, 2]] * np.asarray(resize.input_size * 2, np.float32)
    offset = int(parameters_of(manifest).get("label_offset", 0))
    class_id = classes[chosen].round().astype(np.int64) + offset
    return to_detections(xyxy, scores[chosen], class_id, manifest, resize)


def _tensors(
    outputs: Tensors, manifest: ModelManifest
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Boxes, classes and scores; the latter by their names, else by the order of the names."""
    boxes = [name for name, t in outputs.items() if t.ndim == BOXES_RANK and t.shape[-1] == 4]  # noqa: PLR2004 - a box
    rows = sorted(name for name, t in outputs.items() if t.ndim == ROWS_RANK)
    rows.sort(key=lambda name: ("score" in name.lower()) - ("class" in name.lower()))
    if len(boxes) != 1 or len(rows) != 2:  # noqa: PLR2004 - classes and scores
        raise UnexpectedOutputs(manifest, "boxes [1, N, 4], classes and scores [1, N]", outputs)
    classes, scores = (as_floats(outputs, name, manifest) for name in rows)
    return as_floats(outputs, boxes[0], manifest), classes, scores
