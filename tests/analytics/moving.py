"""Objects that move, as predictions of frames."""

from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction


def seen(
    x: float, y: float, label: str = "person", confidence: float = 0.9, size: int = 40
) -> ObjectDetectionPrediction:
    """One object with its centre at (x, y)."""
    half = size / 2
    box = BoundingBox(round(x - half), round(y - half), round(x + half), round(y + half))
    return ObjectDetectionPrediction(box, confidence, label, 0)
