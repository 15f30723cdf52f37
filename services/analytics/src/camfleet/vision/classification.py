"""Classification."""

from camfleet.images import Image
from camfleet.results.classification import ClassificationPrediction, ClassificationResults
from camfleet.vision.base import VisionService
from camfleet.vision.findings import Reading

CONFIDENCE = 0.0


class Classification(VisionService[ClassificationPrediction]):
    """Says what class a whole image is of."""

    reads = frozenset({"classification"})

    def classify_image(
        self, image: Image, confidence_level: float = CONFIDENCE
    ) -> ClassificationResults:
        """Name the likely classes of one image (H, W, 3) BGR, the surest first.

        They are the best five, or as many as `parameters.top` in model.json says, without those
        that are less sure than `confidence_level` (0 to 1).

        Raises:
            BadImage, BadArgument, NotLoaded: what was given or done is wrong.
            InferenceError: the server or the model; see camfleet.inference.errors.
        """
        found = self._find(image, confidence_level, 0.0)
        return ClassificationResults(found.predictions, **found.origin())

    def _predictions(self, reading: Reading) -> list[ClassificationPrediction]:
        rows = zip(
            reading.found.labels,
            reading.found.confidence.tolist(),
            reading.found.class_id.tolist(),
            strict=True,
        )
        return [ClassificationPrediction(*row) for row in rows]
