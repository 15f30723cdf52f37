"""Semantic segmentation."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument
from camfleet.images import Image
from camfleet.results.segmentation import SemanticSegmentationResults
from camfleet.vision.base import VisionService
from camfleet.vision.findings import Reading

_RANK = 2


class SemanticSegmentation(VisionService[NDArray[np.int64]]):
    """Says of what class each pixel is."""

    reads = frozenset({"segmentation"})

    def segment_image(self, image: Image) -> SemanticSegmentationResults:
        """Name the class of every pixel of one image (H, W, 3) BGR.

        Raises:
            BadImage, NotLoaded: what was given or done is wrong.
            InferenceError: the server or the model; see camfleet.inference.errors.
        """
        found = self._find(image, 0.0, 0.0)
        return SemanticSegmentationResults(found.predictions[0], **found.origin())

    def build_image_mask(self, class_map: NDArray[np.int64]) -> Image:
        """A picture (H, W, 3) BGR of a class map: each class in its colour.

        Raises:
            BadArgument: it is not a class map of this model.
        """
        classes = np.asarray(class_map)
        count = len(self.colors)
        if classes.ndim != _RANK or (
            classes.size and not 0 <= classes.min() <= classes.max() < count
        ):
            raise BadArgument(
                f"{self.model_id}: build_image_mask expects (H, W) of indices below {count}, as "
                f"segment_image answers; got shape {classes.shape}"
            )
        return self.colors[classes.astype(np.int64)]

    def build_legend(self) -> str:
        """An HTML table of the labels in their colours, for the text of a Streamer."""
        rows = (
            f'<tr><td style="background-color:rgb({red},{green},{blue});width:2em">&nbsp;</td>'
            f"<td>{escape(label)}</td></tr>"
            for label, (blue, green, red) in zip(self.labels, self.colors.tolist(), strict=True)
        )
        return f"<table>{''.join(rows)}</table>"

    def _predictions(self, reading: Reading) -> list[NDArray[np.int64]]:
        postprocess = self.model_config.manifest.postprocess
        background = int(postprocess.parameters.get("background", 0)) if postprocess else 0
        width, height = reading.frame_size
        if reading.found.masks is None or not len(reading.found):
            return [np.full((height, width), background, np.int64)]
        classes = np.full(reading.found.masks.shape[1:], background, np.int32)
        for mask, index in zip(reading.found.masks, reading.found.class_id.tolist(), strict=True):
            classes[mask] = index
        return [_grown(classes, (width, height))]


def _grown(cells: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int64]:
    import cv2  # noqa: PLC0415 - slow to import

    return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST), np.int64)
