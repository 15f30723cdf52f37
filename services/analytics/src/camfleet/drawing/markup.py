"""Predictions drawn into an image. Images that are handed in stay as they are."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import cv2
import numpy as np

from camfleet.colours import colour_of
from camfleet.drawing.shapes import (
    Point,
    TextAlignment,
    draw_rounded_rectangle,
    draw_text_with_background,
    share_of,
)
from camfleet.errors import BadArgument
from camfleet.images import Colour, Colours, Image, check_image
from camfleet.results.boxes import BoundingBox

_FILLED = -1
_BLUR_CELLS = 8  # across the shorter side of a blurred box: too few to know a face by


class Found(Protocol):
    """What can be drawn: a prediction, or an object of a tracker."""

    @property
    def box(self) -> BoundingBox:
        """Where it is."""

    @property
    def label(self) -> str:
        """What it is."""

    @property
    def confidence(self) -> float:
        """How sure that is, 0 to 1."""

    @property
    def index(self) -> int:
        """Of its label."""


Predictions = Iterable[Found] | Mapping[Any, Found]


def markup_image(  # noqa: PLR0913, PLR0917 - edgeIQ's signature
    image: Image,
    predictions: Predictions,
    show_labels: bool = True,
    show_confidences: bool = True,
    colors: Colours | None = None,
    line_thickness: int = 2,
    font_size: float = 0.5,
    font_thickness: int = 2,
    text_box_padding: int = 10,
    bounding_box_corner_radius: int = 0,
    text_box_corner_radius: int = 0,
    text_box_alignment: TextAlignment = ("left", "top"),
    text_box_position: TextAlignment | Point = ("left", "top"),
) -> Image:
    """A copy of the image with boxes and texts.

    Args:
        image: (H, W, 3) BGR.
        predictions: of a detector, or what a tracker returned.
        show_labels: write the label.
        show_confidences: write the confidence.
        colors: one a class, as `service.colors`; a class beyond them begins again with the first.
            None: bright ones that differ.
        line_thickness: of the boxes.
        font_size: 1 is about 22 pixels high.
        font_thickness: of the letters' strokes.
        text_box_padding: pixels around the letters.
        bounding_box_corner_radius: 0: square corners.
        text_box_corner_radius: 0: square corners.
        text_box_alignment: which point of the text's box is at its position.
        text_box_position: a point of the object's box, or pixels (x, y) from its upper left
            corner.

    Raises:
        BadImage: it is not an image.
        BadArgument: an alignment is none.
    """
    marked = check_image(image, "markup_image").copy()
    for one in _each(predictions):
        colour, box = _colour(one, colors), one.box
        draw_rounded_rectangle(
            marked,
            (box.start_x, box.start_y),
            (box.end_x, box.end_y),
            colour,
            line_thickness,
            bounding_box_corner_radius,
        )
        text = _text(one, show_labels, show_confidences)
        if text:
            draw_text_with_background(
                marked,
                text,
                *_anchor(box, text_box_position),
                font_size,
                font_thickness,
                colour,
                padding=text_box_padding,
                corner_radius=text_box_corner_radius,
                alignment=text_box_alignment,
            )
    return marked


def overlay_transparent_boxes(
    image: Image,
    predictions: Predictions,
    alpha: float = 0.5,
    colors: Colours | None = None,
    show_labels: bool = False,
    show_confidences: bool = False,
) -> Image:
    """A copy of the image with filled boxes that let it shine through.

    Args:
        image: (H, W, 3) BGR.
        predictions: of a detector, or what a tracker returned.
        alpha: share of the colour, 0 to 1.
        colors: one a class; None: bright ones that differ.
        show_labels: write the label.
        show_confidences: write the confidence.

    Raises:
        BadImage: it is not an image.
        BadArgument: alpha is not within 0 and 1.
    """
    filled = check_image(image, "overlay_transparent_boxes").copy()
    check_alpha(alpha)
    found = list(_each(predictions))
    for one in found:
        box = one.box
        start, end = (box.start_x, box.start_y), (box.end_x, box.end_y)
        cv2.rectangle(filled, start, end, _colour(one, colors), _FILLED)
    mixed = np.asarray(cv2.addWeighted(filled, alpha, image, 1 - alpha, 0), np.uint8)
    for one in found:
        text = _text(one, show_labels, show_confidences)
        if text:
            box, colour = one.box, _colour(one, colors)
            draw_text_with_background(mixed, text, box.start_x, box.start_y, color=colour)
    return mixed


def transparent_overlay_boxes(
    image: Image,
    predictions: Predictions,
    alpha: float = 0.5,
    colors: Colours | None = None,
) -> Image:
    """`overlay_transparent_boxes` as edgeIQ 1.x has it."""
    return overlay_transparent_boxes(image, predictions, alpha, colors)


def blur_objects(image: Image, predictions: Predictions) -> Image:
    """A copy of the image in which nobody knows the objects again.

    Each box keeps about 8 cells along its shorter side, smoothed: what is gone cannot be computed
    back, unlike after a weak blur.

    Raises:
        BadImage: it is not an image.
    """
    blurred = check_image(image, "blur_objects").copy()
    for one in _each(predictions):
        left, top, right, bottom = inside(one.box, image)
        part = blurred[top:bottom, left:right]
        if not part.size:
            continue
        cell = max(1, min(part.shape[:2]) // _BLUR_CELLS)
        cells = (max(1, part.shape[1] // cell), max(1, part.shape[0] // cell))
        coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
        size = (part.shape[1], part.shape[0])
        part[:] = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    return blurred


def inside(box: BoundingBox, image: Image) -> tuple[int, int, int, int]:
    """The part of a box that is in the image: left, top, right, bottom."""
    height, width = image.shape[:2]
    left, right = (min(max(x, 0), width) for x in (box.start_x, box.end_x))
    top, bottom = (min(max(y, 0), height) for y in (box.start_y, box.end_y))
    return left, top, right, bottom


def check_alpha(alpha: float) -> None:
    """Raises BadArgument where it is no share."""
    if not 0 <= alpha <= 1:
        raise BadArgument(f"alpha is {alpha}, expected 0 to 1")


def _each(predictions: Predictions) -> Iterable[Found]:
    return predictions.values() if isinstance(predictions, Mapping) else predictions


def _colour(one: Found, colors: Colours | None) -> Colour:
    if colors is None or len(colors) == 0:
        return colour_of(one.index)
    blue, green, red = colors[one.index % len(colors)]
    return int(blue), int(green), int(red)


def _text(one: Found, show_label: bool, show_confidence: bool) -> str:
    parts = [one.label] if show_label else []
    parts += [f"{one.confidence:.1%}"] if show_confidence else []
    return ": ".join(parts)


def _anchor(box: BoundingBox, position: TextAlignment | Point) -> Point:
    across, down = position
    if isinstance(across, str) and isinstance(down, str):
        right, below = share_of((across, down))
        x, y = box.start_x + right * box.width, box.start_y + below * box.height
        return round(x), round(y)
    return box.start_x + int(across), box.start_y + int(down)
