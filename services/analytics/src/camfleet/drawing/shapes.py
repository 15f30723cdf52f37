"""Rectangles with round corners, and text on a ground of its own."""

from typing import Literal

import cv2

from camfleet.drawing.colours import ink_on
from camfleet.errors import BadArgument
from camfleet.images import Colour, Image, check_image

HorizontalTextAlignment = Literal["left", "center", "right"]
VerticalTextAlignment = Literal["top", "center", "bottom"]
TextAlignment = tuple[HorizontalTextAlignment, VerticalTextAlignment]
Point = tuple[int, int]  # x, y in pixels

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FILLED = -1
_SHARES = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def draw_rounded_rectangle(
    image: Image,
    start: Point,
    end: Point,
    color: Colour,
    thickness: int = 2,
    corner_radius: int = 0,
) -> Image:
    """Draw into the image, and return it.

    Args:
        image: (H, W, 3) BGR.
        start: the upper left corner.
        end: the lower right corner.
        color: blue, green, red.
        thickness: of the line; -1 fills the rectangle.
        corner_radius: in pixels; at most half of the shorter side is used.
    """
    check_image(image, "draw_rounded_rectangle")
    (x1, y1), (x2, y2) = start, end
    radius = max(0, min(corner_radius, abs(x2 - x1) // 2, abs(y2 - y1) // 2))
    if radius == 0:
        cv2.rectangle(image, start, end, color, thickness, cv2.LINE_AA)
    elif thickness < 0:
        _fill(image, (x1, y1, x2, y2), color, radius)
    else:
        _outline(image, (x1, y1, x2, y2), color, thickness, radius)
    return image


def draw_text_with_background(  # noqa: PLR0913, PLR0917 - edgeIQ's arguments
    image: Image,
    text: str,
    start_x: int,
    start_y: int,
    font_size: float = 0.5,
    font_thickness: int = 2,
    color: Colour = (0, 0, 0),
    *,
    text_color: Colour | None = None,
    padding: int = 10,
    corner_radius: int = 0,
    alignment: TextAlignment = ("left", "top"),
) -> tuple[Image, int, int]:
    """Draw into the image, and return it with the width and height of the ground in pixels.

    Args:
        image: (H, W, 3) BGR.
        text: one line.
        start_x: where the ground is, in pixels; it is moved to where the image has room for it.
        start_y: likewise.
        font_size: 1 is about 22 pixels high.
        font_thickness: of the strokes in pixels.
        color: of the ground.
        text_color: of the letters; None: black or white, as is read more easily.
        padding: pixels between letters and the ground's edges.
        corner_radius: of the ground.
        alignment: which point of the ground is at `start_x`, `start_y`.

    Raises:
        BadImage: it is not an image.
        BadArgument: the alignment is none.
    """
    check_image(image, "draw_text_with_background")
    (width, height), below = cv2.getTextSize(text, _FONT, font_size, font_thickness)
    size = (width + 2 * padding, height + below + 2 * padding)
    left, top = _placed(image, (start_x, start_y), size, alignment)
    end = (left + size[0], top + size[1])
    draw_rounded_rectangle(image, (left, top), end, color, _FILLED, corner_radius)
    ink = text_color or ink_on(color)
    origin = (left + padding, top + padding + height)
    cv2.putText(image, text, origin, _FONT, font_size, ink, font_thickness, cv2.LINE_AA)
    return image, *size


def share_of(alignment: TextAlignment) -> tuple[float, float]:
    """How far across and down a point is, 0 to 1.

    Raises:
        BadArgument: the alignment is none.
    """
    across, down = alignment
    if across not in {"left", "center", "right"} or down not in {"top", "center", "bottom"}:
        raise BadArgument(
            f"alignment {alignment!r} is unknown; use left, center or right and top, center or"
            " bottom, e.g. ('left', 'top')"
        )
    return _SHARES[across], _SHARES[down]


def _placed(image: Image, position: Point, size: Point, alignment: TextAlignment) -> Point:
    across, down = share_of(alignment)
    left, top = position[0] - round(across * size[0]), position[1] - round(down * size[1])
    most_left, most_top = image.shape[1] - 1 - size[0], image.shape[0] - 1 - size[1]
    return max(0, min(left, most_left)), max(0, min(top, most_top))


def _fill(image: Image, corners: tuple[int, int, int, int], color: Colour, radius: int) -> None:
    x1, y1, x2, y2 = corners
    cv2.rectangle(image, (x1 + radius, y1), (x2 - radius, y2), color, _FILLED)
    cv2.rectangle(image, (x1, y1 + radius), (x2, y2 - radius), color, _FILLED)
    for x in (x1 + radius, x2 - radius):
        for y in (y1 + radius, y2 - radius):
            cv2.circle(image, (x, y), radius, color, _FILLED, cv2.LINE_AA)


def _outline(
    image: Image, corners: tuple[int, int, int, int], color: Colour, thickness: int, radius: int
) -> None:
    x1, y1, x2, y2 = corners
    for y in (y1, y2):
        cv2.line(image, (x1 + radius, y), (x2 - radius, y), color, thickness, cv2.LINE_AA)
    for x in (x1, x2):
        cv2.line(image, (x, y1 + radius), (x, y2 - radius), color, thickness, cv2.LINE_AA)
    arcs = (((x1, 1), (y1, 1), 180), ((x2, -1), (y1, 1), 270), ((x2, -1), (y2, -1), 0),
            ((x1, 1), (y2, -1), 90))  # fmt: skip
    for (x, right), (y, down), angle in arcs:
        centre = (x + right * radius, y + down * radius)
        cv2.ellipse(image, centre, (radius, radius), angle, 0, 90, color, thickness, cv2.LINE_AA)
