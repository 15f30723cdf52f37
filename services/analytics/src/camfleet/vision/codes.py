"""QR codes and barcodes, by OpenCV in this process; they need no model and no server."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.images import Image, check_image
from camfleet.results.boxes import BoundingBox
from camfleet.results.codes import (
    BarcodeDetectionPrediction,
    BarcodeDetectionResults,
    QRCodeDetectionPrediction,
    QRCodeDetectionResults,
    markup_codes,
)
from camfleet.vision.publishing import Publishing


class QRCodeDetection(Publishing):
    """Finds and reads QR codes. Use each one from one thread at a time."""

    def __init__(self) -> None:
        import cv2  # noqa: PLC0415 - slow to import

        self._detector = cv2.QRCodeDetector()

    def localize_decode(self, image: Image) -> QRCodeDetectionResults:
        """Find the codes of one image (H, W, 3) BGR; raises BadImage."""
        began_s = time.perf_counter()
        checked = check_image(image, type(self).__name__)
        _, texts, corners, _ = self._detector.detectAndDecodeMulti(checked)
        codes = [
            QRCodeDetectionPrediction(text, box)
            for text, box in zip(texts, _boxes(corners), strict=True)
        ]
        return QRCodeDetectionResults(codes, time.perf_counter() - began_s, image)

    def markup_image(self, image: Image, predictions: Sequence[QRCodeDetectionPrediction]) -> Image:
        """A copy of the image with each code's box and what it says; raises BadImage."""
        return markup_codes(image, predictions)


class BarcodeDetection(Publishing):
    """Finds and reads EAN and UPC barcodes. Use each one from one thread at a time."""

    def __init__(self) -> None:
        import cv2  # noqa: PLC0415 - slow to import

        self._detector = cv2.barcode.BarcodeDetector()

    def localize_decode(self, image: Image) -> BarcodeDetectionResults:
        """Find the codes of one image (H, W, 3) BGR; raises BadImage."""
        began_s = time.perf_counter()
        checked = check_image(image, type(self).__name__)
        _, texts, kinds, corners = self._detector.detectAndDecodeWithType(checked)
        codes = [
            BarcodeDetectionPrediction(text, box, kind)
            for text, kind, box in zip(texts, kinds, _boxes(corners), strict=True)
        ]
        return BarcodeDetectionResults(codes, time.perf_counter() - began_s, image)

    def markup_image(
        self, image: Image, predictions: Sequence[BarcodeDetectionPrediction]
    ) -> Image:
        """A copy of the image with each code's box and what it says; raises BadImage."""
        return markup_codes(image, predictions)


def _boxes(corners: NDArray[Any] | None) -> list[BoundingBox]:
    """The box around the four corners of each code, of (N, 4, 2)."""
    if corners is None:
        return []
    points = np.asarray(corners, np.float32).reshape(-1, 4, 2)
    ends = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).round().astype(int)
    return [BoundingBox(*row) for row in ends.tolist()]
