"""What the readers of QR codes and barcodes find."""

from dataclasses import dataclass, field

from camfleet.results.boxes import BoundingBox


@dataclass(slots=True)
class QRCodeDetectionPrediction:
    """One QR code."""

    info: str  # what it says; empty where it was seen but could not be read
    box: BoundingBox


@dataclass(slots=True)
class QRCodeDetectionResults:
    """All QR codes of one image."""

    predictions: list[QRCodeDetectionPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds


@dataclass(slots=True)
class BarcodeDetectionPrediction:
    """One barcode."""

    info: str  # its digits; empty where it was seen but could not be read
    box: BoundingBox
    kind: str = ""  # EAN_13, EAN_8, UPC_A, UPC_E


@dataclass(slots=True)
class BarcodeDetectionResults:
    """All barcodes of one image."""

    predictions: list[BarcodeDetectionPrediction] = field(default_factory=list)
    duration: float = 0.0  # seconds
