"""What segmentation finds."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from camfleet.results.boxes import BoundingBox


@dataclass(slots=True, eq=False)
class SemanticSegmentationResults:
    """The class of every pixel of one image."""

    class_map: NDArray[np.int64]  # (height, width) of the image: indices of the model's labels
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None


@dataclass(slots=True, eq=False)
class InstanceSegmentationPrediction:
    """One object and the pixels it covers."""

    box: BoundingBox
    confidence: float  # 0 to 1
    label: str
    index: int  # of the label in the model's labels
    mask: NDArray[np.bool_]  # (height, width) of the image


@dataclass(slots=True, eq=False)
class InstanceSegmentationResults:
    """All objects of one image, the surest first."""

    predictions: list[InstanceSegmentationPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None
