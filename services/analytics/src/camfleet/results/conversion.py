"""Between arrays (Detections), the predictions that applications see, and messages."""

from collections.abc import Sequence

import numpy as np

from camfleet.detections import Detections, no_detections
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction


def predictions_from(found: Detections) -> list[ObjectDetectionPrediction]:
    """One prediction an object, in the same order."""
    return [
        ObjectDetectionPrediction(BoundingBox(*corners), confidence, label, index)
        for corners, confidence, label, index in zip(
            found.xyxy.round().astype(int).tolist(),
            found.confidence.tolist(),
            found.labels,
            found.class_id.tolist(),
            strict=True,
        )
    ]


def detections_from(predictions: Sequence[ObjectDetectionPrediction]) -> Detections:
    """One row a prediction, in the same order; also of what looks like a prediction."""
    if not predictions:
        return no_detections()
    return Detections(
        xyxy=np.array([one.box.corners() for one in predictions], np.float32),
        confidence=np.array([one.confidence for one in predictions], np.float32),
        class_id=np.array([one.index for one in predictions], np.int64),
        labels=tuple(one.label for one in predictions),
    )
