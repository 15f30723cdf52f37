"""What a model found in an image, before it becomes the results of a service."""

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from camfleet.detections import Detections
from camfleet.inference.served_model import ServedModel

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Found(Generic[P]):
    """What one version of a model found in one image."""

    predictions: list[P]
    duration: float  # seconds of the request
    model: ServedModel

    def origin(self) -> dict[str, Any]:
        """The fields that all results have."""
        model_id = self.model.manifest.id or self.model.name
        return {
            "duration": self.duration,
            "model_id": model_id,
            "model_version": self.model.version,
        }


class Reading(NamedTuple):
    """What a decoder found in an image of a size (width, height)."""

    found: Detections
    frame_size: tuple[int, int]
