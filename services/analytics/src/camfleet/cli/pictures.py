"""Pictures and films with boxes drawn on them, written as files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet.cli.errors import CommandError
from camfleet.colours import colour_of
from camfleet.detections import Detections
from camfleet.drawing.shapes import draw_text_with_background
from camfleet.images import Image

_MIN_THICKNESS, _MIN_FONT_SIZE, _PADDING_PX = 2, 0.45, 3
_TINT = 0.45  # share of its class's colour in a masked pixel


def write_picture(path: Path, image: Image) -> None:
    """Write a picture in the format of the name's ending.

    Raises:
        CommandError: the ending is none that can be written, or the folder is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        written = cv2.imwrite(str(path), image)
    except cv2.error as error:
        raise CommandError(
            f"{path}: cannot be written; give a name that ends in .jpg or .png"
        ) from error
    if not written:
        raise CommandError(f"{path}: cannot be written; check the folder's rights and free space")


def encode_jpeg(image: Image) -> bytes:
    """The picture as JPEG."""
    _, content = cv2.imencode(".jpg", image)
    return content.tobytes()


def with_boxes(image: Image, detections: Detections) -> Image:
    """A copy of the picture with masks, boxes, labels, confidences and key points."""
    drawn = image.copy()
    if detections.masks is not None:
        _tint(drawn, detections.masks, detections.class_id.tolist())
    scale = max(image.shape[:2]) / 1000
    thickness = max(_MIN_THICKNESS, round(2 * scale))
    for number, label in enumerate(detections.labels):
        colour = colour_of(int(detections.class_id[number]))
        x1, y1, x2, y2 = (int(v) for v in detections.xyxy[number].round())
        cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, thickness)
        draw_text_with_background(
            drawn,
            f"{label} {detections.confidence[number]:.2f}",
            x1,
            y1,
            font_size=max(_MIN_FONT_SIZE, 0.7 * scale),
            font_thickness=1,
            color=colour,
            padding=_PADDING_PX,
            alignment=("left", "bottom"),
        )
        if detections.key_points is not None:
            for x, y in detections.key_points[number][:, :2]:
                cv2.circle(drawn, (int(x), int(y)), thickness + 1, colour, -1)
    return drawn


def _tint(image: Image, masks: NDArray[np.bool_], class_ids: list[int]) -> None:
    """Mix the colour of its class into each mask (h, w) that covers the picture."""
    size = (image.shape[1], image.shape[0])
    for mask, class_id in zip(masks, class_ids, strict=True):
        grown = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        colour = np.array(colour_of(class_id), np.float32)
        image[grown] = ((1 - _TINT) * image[grown] + _TINT * colour).astype(np.uint8)
