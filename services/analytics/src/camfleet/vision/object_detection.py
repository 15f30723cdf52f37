"""Object detection."""

from collections.abc import Sequence
from typing import Any

from camfleet.decoders import decoder_names
from camfleet.errors import BadArgument
from camfleet.images import Image
from camfleet.inference.served_model import ServedModel
from camfleet.results.conversion import predictions_from
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults
from camfleet.vision.base import VisionService
from camfleet.vision.findings import Reading
from camfleet.vision.hooks import Boxes

CONFIDENCE, OVERLAP = 0.3, 0.3
_PARTS = 3  # boxes, confidences, indexes
_WITHOUT_BOXES = {"classification", "embedding", "movenet", "pose-heatmaps", "segmentation"}


class ObjectDetection(VisionService[ObjectDetectionPrediction]):
    """Finds objects and their boxes with any model that has a decoder of boxes."""

    reads = frozenset(decoder_names()) - _WITHOUT_BOXES

    def detect_objects(
        self,
        image: Image,
        confidence_level: float = CONFIDENCE,
        overlap_threshold: float = OVERLAP,
    ) -> ObjectDetectionResults:
        """Find the objects of one image (H, W, 3) BGR.

        Args:
            image: any size; boxes come in its pixels.
            confidence_level: what is less sure (0 to 1) is left out.
            overlap_threshold: of two boxes of a class that overlap more (intersection over union)
                the surer one stays. Models that suppress by themselves take no notice.

        Raises:
            BadImage, BadArgument, NotLoaded: what was given or done is wrong.
            InferenceError: the server or the model; see camfleet.inference.errors.
        """
        found = self._find(image, confidence_level, overlap_threshold)
        return ObjectDetectionResults(found.predictions, **found.origin())

    def detect_objects_batch(
        self,
        images: Sequence[Image],
        confidence_level: float = CONFIDENCE,
        overlap_threshold: float = OVERLAP,
    ) -> list[ObjectDetectionResults]:
        """Find the objects of several images, of any sizes; one result an image, in their order.

        It is one request where the model takes a batch of that many, else requests at once.
        Raises what detect_objects raises.
        """
        batch = self._find_all(images, confidence_level, overlap_threshold)
        return [ObjectDetectionResults(found.predictions, **found.origin()) for found in batch]

    def _hooked(
        self, found: Sequence[ObjectDetectionPrediction] | Boxes, model: ServedModel
    ) -> list[ObjectDetectionPrediction]:
        parts: Any = found
        if not _is_boxes(parts):
            return list(parts)
        if len({len(part) for part in parts}) > 1:
            boxes, confidences, indexes = map(len, parts)
            raise BadArgument(
                f"post_process of {model.name} returned {boxes} boxes, {confidences} confidences"
                f" and {indexes} indexes"
            )
        labels = dict(enumerate(model.manifest.labels))
        return [
            ObjectDetectionPrediction(box, float(sure), labels.get(int(i), str(int(i))), int(i))
            for box, sure, i in zip(*parts, strict=True)
        ]

    def _predictions(self, reading: Reading) -> list[ObjectDetectionPrediction]:
        return predictions_from(reading.found)


def _is_boxes(found: Any) -> bool:
    """Whether it is edgeIQ's boxes, confidences and indexes, and no predictions."""
    return (
        isinstance(found, tuple)
        and len(found) == _PARTS
        and not any(isinstance(one, ObjectDetectionPrediction) for one in found)
    )
