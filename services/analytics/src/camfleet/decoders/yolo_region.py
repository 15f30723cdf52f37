"""Darknet YOLO as OpenCV answers it: rows of box, objectness and class scores, all relative."""

import numpy as np

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs
from camfleet.decoders.suppression import suppress_by_class, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads outputs [N, 5+C] or [1, N, 5+C]; class scores already contain objectness."""
    width = 5 + len(manifest.labels)
    if any(tensor.shape[-1] != width for tensor in outputs.values()) or not outputs:
        raise UnexpectedOutputs(manifest, f"outputs [N, {width}]", outputs)
    rows = np.concatenate([tensor.reshape(-1, width) for tensor in outputs.values()])
    rows = rows.astype(np.float32)
    class_id = rows[:, 5:].argmax(axis=1)
    score = rows[np.arange(len(rows)), 5 + class_id]
    chosen = np.flatnonzero(score >= confidence)
    centre, size = rows[chosen, :2], rows[chosen, 2:4]
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    xyxy = xyxy * np.asarray(resize.input_size * 2, np.float32)
    kept = suppress_by_class(xyxy, score[chosen], class_id[chosen], iou)
    chosen = chosen[kept]
    return to_detections(xyxy[kept], score[chosen], class_id[chosen], manifest, resize)
