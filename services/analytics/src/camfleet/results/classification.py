"""What classification finds."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class ClassificationPrediction:
    """One class that the image may be of."""

    label: str
    confidence: float  # 0 to 1
    index: int  # of the label in the model's labels


@dataclass(slots=True)
class ClassificationResults:
    """The likely classes of one image, the surest first."""

    predictions: list[ClassificationPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None
