"""What the readers of QR codes and barcodes find."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from camfleet.colours import colour_of
from camfleet.errors import BadArgument
from camfleet.images import Image, check_image
from camfleet.results.boxes import BoundingBox


@dataclass(slots=True)
class QRCodeDetectionPrediction:
    """One QR code."""

    info: str  # what it says; empty where it was seen but could not be read
    box: BoundingBox


@dataclass(slots=True)
class BarcodeDetectionPrediction:
    """One barcode."""

    info: str  # its digits; empty where it was seen but could not be read
    box: BoundingBox
    kind: str = ""  # EAN_13, EAN_8, UPC_A, UPC_E


@dataclass(slots=True)
class QRCodeDetectionResults:
    """All QR codes of one image."""

    predictions: list[QRCodeDetectionPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds
    image: Image | None = field(default=None, repr=False, compare=False)  # they are of

    def markup_image(self) -> Image:
        """A copy of the image with each code's box and what it says.

        Raises:
            BadArgument: the results are of no image.
        """
        return _marked(self.image, self.predictions)


@dataclass(slots=True)
class BarcodeDetectionResults:
    """All barcodes of one image."""

    predictions: list[BarcodeDetectionPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds
    image: Image | None = field(default=None, repr=False, compare=False)  # they are of

    def markup_image(self) -> Image:
        """A copy of the image with each code's box and what it says.

        Raises:
            BadArgument: the results are of no image.
        """
        return _marked(self.image, self.predictions)


class _Code(Protocol):
    info: str
    box: BoundingBox


def markup_codes(image: Image, codes: Sequence[_Code]) -> Image:
    """A copy of the image with each code's box and what it says; raises BadImage."""
    import cv2  # noqa: PLC0415 - slow to import

    drawn: Image = np.array(check_image(image, "markup_image"))
    for number, code in enumerate(codes):
        colour, corner = colour_of(number), code.box.corners()
        cv2.rectangle(drawn, corner[:2], corner[2:], colour, 2)
        place = (corner[0], max(corner[1] - 5, 12))
        cv2.putText(drawn, code.info, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return drawn


def _marked(image: Image | None, codes: Sequence[_Code]) -> Image:
    if image is None:
        raise BadArgument("markup_image: the results hold no image; use that of the service")
    return markup_codes(image, codes)
