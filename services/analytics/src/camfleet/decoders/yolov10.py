"""YOLOv10, 26 and RT-DETR (also exports with `nms=True`): rows that need no suppression."""

import numpy as np

from camfleet.decoders.outputs import (
    Tensors,
    UnexpectedOutputs,
    as_floats,
    find_by_last_axis,
    parameters_of,
)
from camfleet.decoders.suppression import to_detections
from camfleet.decoders.yolo_extras import Extras, in_pixels
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

BOX, ROW = 4, 6  # box, score, class


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - the model gives one box an object
) -> Detections:
    """Reads [1, N, 6+E]; the extras E are those of `yolov8`.

    Boxes are corners in input pixels, or all of them shares of the input; with `parameters.boxes`
    "centre" they are centre and size (RT-DETR).
    """
    extras = Extras.of(outputs, manifest)
    name = find_by_last_axis(outputs, ROW + extras.count)
    if name is None:
        raise UnexpectedOutputs(manifest, f"an output [1, N, {ROW + extras.count}]", outputs)
    rows = as_floats(outputs, name, manifest).reshape(-1, ROW + extras.count)
    rows = in_pixels(rows, extras, resize)
    rows = rows[rows[:, BOX] >= confidence]
    class_id = rows[:, 5].round().astype(np.int64)
    boxes = rows[:, :BOX]
    if parameters_of(manifest).get("boxes") == "centre":
        centre, half = boxes[:, :2], boxes[:, 2:] / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
    found = to_detections(boxes, rows[:, BOX], class_id, manifest, resize)
    return extras.added(found, rows[:, ROW:], resize)
