"""What an image is in the library, and the check of what is handed to it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadImage

Image = NDArray[np.uint8]  # (H, W, 3) BGR
Colour = tuple[int, int, int]  # blue, green, red
Colours = Sequence[Sequence[int]] | NDArray[np.integer[Any]]  # (N, 3), one a label

_CHANNELS = 3


def check_image(image: Image, what: str) -> Image:
    """The image itself.

    Raises:
        BadImage: it is not (H, W, 3) of uint8, or has no pixels; the text names `what`.
    """
    if not isinstance(image, np.ndarray):
        raise BadImage(f"{what}: expected an image, got {type(image).__name__}")
    if image.ndim != _CHANNELS or image.shape[2] != _CHANNELS:
        way = "; cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) makes it so" if image.ndim == 2 else ""  # noqa: PLR2004 - height and width
        raise BadImage(f"{what}: the image has shape {image.shape}, expected (H, W, 3) BGR{way}")
    if image.dtype != np.uint8:
        raise BadImage(f"{what}: the image is of {image.dtype}, expected uint8 (0 to 255)")
    if not image.size:
        raise BadImage(f"{what}: the image is empty, shape {image.shape}")
    return image
