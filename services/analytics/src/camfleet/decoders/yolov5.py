"""YOLOv5 (also v6 and v7): rows of box, objectness and class scores in input pixels."""

import numpy as np

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

RANK = 3


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads [1, N, 5+C]: centre, size, objectness and classes, scores after their sigmoid."""
    width = 5 + len(manifest.labels)
    name = next((n for n, t in outputs.items() if t.ndim == RANK and t.shape[2] == width), "")
    if not name:
        expected = f"an output [1, N, {width}] (5 + {len(manifest.labels)} labels)"
        raise UnexpectedOutputs(manifest, expected, outputs)
    rows = as_floats(outputs, name, manifest)
    rows = rows[rows[:, 4] >= confidence]  # a score is never above its objectness
    class_id = rows[:, 5:].argmax(axis=1)
    score = rows[:, 4] * rows[np.arange(len(rows)), 5 + class_id]
    chosen = np.flatnonzero(score >= confidence)
    centre, size = rows[chosen, :2], rows[chosen, 2:4]
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    kept = suppress_by_class(xyxy, score[chosen], class_id[chosen], iou)
    chosen = chosen[kept]
    return to_detections(xyxy[kept], score[chosen], class_id[chosen], manifest, resize)
