"""Non-maximum suppression, and the last step that all box decoders share."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import label_of
from camfleet.detections import Detections, no_detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

MAX_CANDIDATES = 1000  # boxes that enter the suppression; the best ones


def suppress(
    xyxy: NDArray[np.float32], confidence: NDArray[np.float32], iou: float
) -> NDArray[np.int64]:
    """Indices of the boxes to keep, best first; one that overlaps a better one too much goes."""
    order = np.argsort(-confidence, kind="stable")[:MAX_CANDIDATES]
    x1, y1, x2, y2 = np.ascontiguousarray(xyxy[order].T)  # by columns: few calls on short rows
    areas = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    stays = np.ones(len(order), np.bool_)
    for best in range(len(order)):
        if not stays[best]:
            continue
        rest = slice(best + 1, None)
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        union = areas[best] + areas[rest] - shared
        stays[rest] &= shared <= iou * np.maximum(union, 1e-9)
    return order[stays].astype(np.int64, copy=False)


def suppress_by_class(
    xyxy: NDArray[np.float32],
    confidence: NDArray[np.float32],
    class_id: NDArray[np.int64],
    iou: float,
) -> NDArray[np.int64]:
    """As `suppress`, but boxes of different classes leave each other alone."""
    if not len(confidence):
        return np.empty(0, np.int64)
    span = float(xyxy.max() - xyxy.min()) + 1.0
    return suppress(xyxy + (class_id * span).astype(np.float32)[:, None], confidence, iou)


def to_detections(
    xyxy: NDArray[np.float32],
    confidence: NDArray[np.float32],
    class_id: NDArray[np.int64],
    manifest: ModelManifest,
    resize: Resize,
) -> Detections:
    """Boxes in model input pixels become detections in frame pixels, cut at the frame's edges."""
    if not len(confidence):
        return no_detections()
    return Detections(
        xyxy=resize.clip(resize.boxes_to_frame(xyxy)),
        confidence=confidence.astype(np.float32),
        class_id=class_id.astype(np.int64),
        labels=tuple(label_of(manifest, int(index)) for index in class_id),
    )
