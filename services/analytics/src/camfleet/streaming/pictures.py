"""Pictures as they are sent: checked, made smaller, encoded as JPEG."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadImage

_JPEG_QUALITY = 80
_COLOUR_AXES, _GREY_AXES = 3, 2


def check_picture(image: object) -> NDArray[np.uint8]:
    """The image, (H, W, 3) BGR or (H, W) grey of uint8.

    Raises:
        BadImage: it is neither.
    """
    if not isinstance(image, np.ndarray):
        raise BadImage(f"send_data: image is {type(image).__name__}; give a NumPy array (BGR)")
    is_colour = image.ndim == _COLOUR_AXES and image.shape[2] == _COLOUR_AXES
    if image.dtype != np.uint8 or not (is_colour or image.ndim == _GREY_AXES) or not image.size:
        raise BadImage(
            f"send_data: image is {image.dtype} {list(image.shape)}; give uint8 [height, width, 3] "
            "(BGR) or [height, width]"
        )
    return image


def encode(image: NDArray[np.uint8], largest: tuple[int | None, int | None]) -> bytes:
    """JPEG bytes of the image, made smaller to fit `largest` (width, height), shape kept."""
    import cv2  # noqa: PLC0415 - loads long, and only where somebody looks

    height, width = image.shape[:2]
    limits = zip((width, height), largest, strict=True)
    scale = min(1.0, *(limit / size for size, limit in limits if limit))
    picture: Any = image
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return bytes(encoded)
