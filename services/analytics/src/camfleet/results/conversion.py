"""From arrays (Detections) to the predictions that applications see."""

from camfleet.detections import Detections
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
