"""What object detection finds."""

from dataclasses import dataclass, field

from camfleet.results.boxes import BoundingBox


@dataclass(slots=True)
class ObjectDetectionPrediction:
    """One object. Fields may be set: applications write track ids into `label`."""

    box: BoundingBox
    confidence: float  # 0 to 1
    label: str
    index: int  # of the label in the model's labels


@dataclass(slots=True)
class ObjectDetectionResults:
    """All objects of one image, the surest first."""

    predictions: list[ObjectDetectionPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None
