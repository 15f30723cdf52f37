"""Instance segmentation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadImage
from camfleet.images import Image, check_image
from camfleet.inference.errors import InferenceRefused
from camfleet.results.conversion import predictions_from
from camfleet.results.segmentation import (
    InstanceSegmentationPrediction,
    InstanceSegmentationResults,
)
from camfleet.vision.base import VisionService
from camfleet.vision.findings import Reading

CONFIDENCE, OVERLAP = 0.3, 0.3
_TINT = 0.45  # share of its class's colour in a masked pixel


class InstanceSegmentation(VisionService[InstanceSegmentationPrediction]):
    """Finds objects and the pixels they cover."""

    reads = frozenset({"yolov8", "yolov10"})

    def segment_image(
        self,
        image: Image,
        confidence_level: float = CONFIDENCE,
        overlap_threshold: float = OVERLAP,
    ) -> InstanceSegmentationResults:
        """Find the objects of one image (H, W, 3) BGR, with their masks in its size.

        Raises:
            BadImage, BadArgument, NotLoaded: what was given or done is wrong.
            InferenceError: the server or the model; see camfleet.inference.errors.
        """
        found = self._find(image, confidence_level, overlap_threshold)
        return InstanceSegmentationResults(found.predictions, **found.origin())

    def markup_image(
        self, image: Image, predictions: Sequence[InstanceSegmentationPrediction]
    ) -> Image:
        """A copy of the image with each object's mask, box, label and confidence.

        Raises:
            BadImage: it is not an image, or not of the size of the masks.
        """
        import cv2  # noqa: PLC0415 - slow to import

        drawn: NDArray[np.uint8] = check_image(image, "markup_image").copy()
        for one in predictions:
            if one.mask.shape != image.shape[:2]:
                raise BadImage(
                    f"markup_image: the image is {image.shape[:2]} and a mask {one.mask.shape}; "
                    "use the image that was segmented"
                )
            colour = tuple(int(part) for part in self.colors[one.index])
            tinted = (1 - _TINT) * drawn[one.mask] + _TINT * np.array(colour, np.float32)
            drawn[one.mask] = tinted.astype(np.uint8)
            corner, opposite = one.box.corners()[:2], one.box.corners()[2:]
            cv2.rectangle(drawn, corner, opposite, colour, 2)
            text = f"{one.label} {one.confidence:.2f}"
            place = (corner[0], max(corner[1] - 5, 12))
            cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
        return drawn

    def _predictions(self, reading: Reading) -> list[InstanceSegmentationPrediction]:
        if not len(reading.found):
            return []
        if reading.found.masks is None:
            reason = "its answers have no masks; use ObjectDetection"
            raise InferenceRefused(self.model_id, reason)
        return [
            InstanceSegmentationPrediction(
                one.box, one.confidence, one.label, one.index, _grown(mask, reading.frame_size)
            )
            for one, mask in zip(predictions_from(reading.found), reading.found.masks, strict=True)
        ]


def _grown(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    import cv2  # noqa: PLC0415 - slow to import

    cells = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cells, np.bool_)
