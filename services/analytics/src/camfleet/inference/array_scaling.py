"""Arrays of pixels scaled with OpenCV; imported by the first one, for cameras do without it."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_ORDERS = {"RGB": cv2.COLOR_BGR2RGB, "GRAY": cv2.COLOR_BGR2GRAY}


def scaled_array(image: Pixels, size: tuple[int, int], colour: str) -> Pixels:
    """Scale BGR pixels (H, W, 3) to (width, height), in the order "RGB", "BGR" or "GRAY"."""
    height, width = image.shape[:2]
    if (width, height) != size:
        is_smaller = size[0] <= width and size[1] <= height
        image = _shrunk(image, size) if is_smaller else _resized(image, size, cv2.INTER_LINEAR)
    return image if colour == "BGR" else np.asarray(cv2.cvtColor(image, _ORDERS[colour]), np.uint8)


def _shrunk(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Average areas by halving, which OpenCV has fast; the last time from twice the size."""
    width, height = size
    while image.shape[1] >= 4 * width and image.shape[0] >= 4 * height:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = _resized(image, half, cv2.INTER_AREA)
    if image.shape[1] > 8 * width or image.shape[0] > 8 * height:  # a panorama
        return _resized(image, size, cv2.INTER_AREA)
    twice = _resized(image, (2 * width, 2 * height), cv2.INTER_LINEAR)
    return _resized(twice, size, cv2.INTER_AREA)


def _resized(image: Pixels, size: tuple[int, int], way: int) -> Pixels:
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
