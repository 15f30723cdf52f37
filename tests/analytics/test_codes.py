"""QR codes and barcodes in images."""

import cv2
import numpy as np
import pytest

from camfleet import (
    BadArgument,
    BadImage,
    BarcodeDetection,
    QRCodeDetection,
    QRCodeDetectionResults,
)
from camfleet.images import Image

# The bars of an EAN-13: digits 2 to 7 as L or G by the first digit, 8 to 13 as R (GS1's norm).
_BARS = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011"
_KINDS = "LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL"


def qr_code(text: str) -> Image:
    code = cv2.QRCodeEncoder.create().encode(text)
    grown = cv2.resize(code, (240, 240), interpolation=cv2.INTER_NEAREST)
    image = np.full((400, 600, 3), 255, np.uint8)
    image[100:340, 50:290] = grown[:, :, None]
    return image


def barcode(digits: str) -> Image:
    bars_of, kinds = _BARS.split(), _KINDS.split()[int(digits[0])]
    rest = [int(one) for one in digits[1:]]
    left = [
        bars_of[digit] if kind == "L" else _flipped(bars_of[digit])[::-1]
        for digit, kind in zip(rest[:6], kinds, strict=True)
    ]
    right = [_flipped(bars_of[digit]) for digit in rest[6:]]
    bars = "101" + "".join(left) + "01010" + "".join(right) + "101"
    row = np.array([0 if bar == "1" else 255 for bar in bars], np.uint8).repeat(4)
    image = np.full((300, len(row) + 160, 3), 255, np.uint8)
    image[60:240, 80 : 80 + len(row)] = row[None, :, None]
    return np.asarray(cv2.resize(image, (324, 180), interpolation=cv2.INTER_AREA), np.uint8)


def _flipped(bars: str) -> str:
    return bars.translate(str.maketrans("01", "10"))


def test_a_qr_code_is_found_and_read() -> None:
    reader, image = QRCodeDetection(), qr_code("camera 7")

    results = reader.localize_decode(image)

    (found,) = results.predictions
    assert found.info == "camera 7"
    assert 50 <= found.box.start_x < found.box.end_x <= 290
    assert results.duration > 0
    marked = reader.markup_image(image, results.predictions)
    assert (marked != image).any()
    assert (results.markup_image() == marked).all()
    with pytest.raises(BadArgument, match="hold no image"):
        QRCodeDetectionResults(results.predictions).markup_image()


def test_a_barcode_is_found_and_read() -> None:
    reader, image = BarcodeDetection(), barcode("4006381333931")

    results = reader.localize_decode(image)

    (found,) = results.predictions
    assert (found.info, found.kind) == ("4006381333931", "EAN_13")
    assert (results.markup_image() != image).any()
    assert (reader.markup_image(image, [found]) != image).any()


@pytest.mark.parametrize("reader", [QRCodeDetection(), BarcodeDetection()], ids=["qr", "bar"])
def test_an_image_without_codes_gives_none(reader: QRCodeDetection | BarcodeDetection) -> None:
    assert reader.localize_decode(np.full((90, 120, 3), 128, np.uint8)).predictions == []
    with pytest.raises(BadImage, match="Detection: expected an image"):
        reader.localize_decode(None)  # type: ignore[arg-type]  # what is refused
