"""Boxes and labels burnt into a picture, for browsers that cannot draw over it in step."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.service.live.colours import colour_of

_JPEG_QUALITY = 78
_LABEL_INK = (16, 20, 26)
_LABEL_HEIGHT = 16
_TINT = 0.38  # share of the label's colour in what a mask covers; as in js/mask-drawing.js
_LEAST_SURE = 0.3  # of a point of a body; as in js/attribute-drawing.js


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A box in pixels of the frame it was found in."""

    corners: tuple[float, float, float, float]  # x1, y1, x2, y2
    text: str
    colour: tuple[int, int, int]
    outlines: tuple[tuple[int, ...], ...] = ()  # of its mask: x1, y1, x2, y2, ...
    points: tuple[tuple[float, float, float], ...] = ()  # of a body: x, y, confidence


def boxes_of(result: dict[str, Any] | None) -> list[LabelledBox]:
    """The boxes of an envelope of results; none where it has none."""
    results = (result or {}).get("results") or {}
    tracked = [
        (item.get("ObjectDetectionPrediction", {}), f" {item.get('id')}")
        for item in results.get("objects", [])
    ]
    plain = [(prediction, "") for prediction in results.get("predictions", [])]
    return [_labelled_box(prediction, suffix) for prediction, suffix in tracked + plain]


def _labelled_box(prediction: dict[str, Any], suffix: str) -> LabelledBox:
    box = prediction.get("box", {})
    label = str(prediction.get("label", ""))
    corners = tuple(float(box.get(key, 0)) for key in ("start_x", "start_y", "end_x", "end_y"))
    return LabelledBox(
        (corners[0], corners[1], corners[2], corners[3]),
        label + suffix,
        colour_of(label),
        tuple(prediction.get("outlines", ())),
        tuple(prediction.get("key_points", ())),
    )


def draw_shapes(image_rgb: NDArray[np.uint8], boxes: list[LabelledBox], scale: float) -> None:
    """Tint what masks cover and dot the points of bodies, in a picture of this scale."""
    import cv2  # noqa: PLC0415 - loads for a second, and only where somebody watches Motion JPEG

    for box in boxes:
        if box.outlines:
            outlines = [np.reshape(one, (-1, 2)) * scale for one in box.outlines]
            covered = np.zeros(image_rgb.shape[:2], np.uint8)
            cv2.fillPoly(covered, [one.round().astype(np.int32) for one in outlines], 1)
            tinted = image_rgb[covered > 0] * (1 - _TINT) + _TINT * np.array(box.colour)
            image_rgb[covered > 0] = tinted.astype(np.uint8)
        for x, y, sure in box.points:
            if sure >= _LEAST_SURE:
                place = (round(x * scale), round(y * scale))
                cv2.circle(image_rgb, place, 3, box.colour, -1, cv2.LINE_AA)


def draw_boxes(image_rgb: NDArray[np.uint8], boxes: list[LabelledBox], scale: float) -> None:
    """Draw into the picture, which is `scale` times the frame the boxes count in."""
    import cv2  # noqa: PLC0415 - loads for a second, and only where somebody watches Motion JPEG

    for box in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in box.corners)
        cv2.rectangle(image_rgb, (left, top), (right, bottom), box.colour, 2, cv2.LINE_AA)
        width = 8 * len(box.text) + 6
        above = max(top, _LABEL_HEIGHT)
        cv2.rectangle(
            image_rgb, (left, above - _LABEL_HEIGHT), (left + width, above), box.colour, -1
        )
        cv2.putText(
            image_rgb,
            box.text,
            (left + 3, above - 4),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.42,
            _LABEL_INK,
            1,
            cv2.LINE_AA,
        )


def encode_jpeg(image_rgb: NDArray[np.uint8]) -> bytes:
    """The picture as JPEG bytes."""
    import cv2  # noqa: PLC0415 - as above

    done, encoded = cv2.imencode(
        ".jpg", image_rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not done:
        message = f"a picture of shape {image_rgb.shape} cannot be encoded as JPEG"
        raise ValueError(message)
    return encoded.tobytes()
