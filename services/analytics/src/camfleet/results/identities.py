"""Whom re-identification takes an image for."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class ReIdentificationPrediction:
    """One identity of the gallery."""

    id: Any  # as it was given to add_to_gallery
    confidence: float  # cosine of the nearest picture, -1 to 1
    distance: float  # 1 - confidence


@dataclass(slots=True, eq=False)
class ReIdentificationResults:
    """The identities of the gallery, the nearest first; empty while the gallery is."""

    predictions: list[ReIdentificationPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None
    features: NDArray[np.float32] | None = None  # (D,), of length 1
