"""The two kinds of pictures that models are asked about, scaled to pixels of any size."""

from collections.abc import Mapping

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from camfleet.video.scaling import reformatted

Picture = av.VideoFrame | NDArray[np.uint8]  # a decoded frame, or (H, W, 3) BGR

_FORMATS: Mapping[str, str] = {"RGB": "rgb24", "BGR": "bgr24", "GRAY": "gray"}


def size_of(picture: Picture) -> tuple[int, int]:
    """(width, height) in pixels."""
    if isinstance(picture, np.ndarray):
        return picture.shape[1], picture.shape[0]
    return picture.width, picture.height


def scaled(picture: Picture, size: tuple[int, int], colour: str) -> NDArray[np.uint8]:
    """Pixels (height, width, channels) of a size, in the order "RGB", "BGR" or "GRAY"."""
    if isinstance(picture, np.ndarray):
        return _scaled_array(picture, size, colour)
    frame = reformatted(picture, _FORMATS[colour], size, Interpolation.AREA)
    return _with_channels(np.asarray(frame.to_ndarray(), np.uint8))


def _scaled_array(
    image: NDArray[np.uint8], size: tuple[int, int], colour: str
) -> NDArray[np.uint8]:
    import cv2  # noqa: PLC0415 - slow to import, and cameras do not need it

    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)  # the averages that OpenCV has fast
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    if size_of(image) != size:
        is_smaller = size[0] <= image.shape[1] and size[1] <= image.shape[0]
        way = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
    if colour != "BGR":
        order = cv2.COLOR_BGR2GRAY if colour == "GRAY" else cv2.COLOR_BGR2RGB
        image = np.asarray(cv2.cvtColor(image, order), np.uint8)
    return _with_channels(image)


def _with_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels if pixels.ndim == 3 else pixels[:, :, None]  # noqa: PLR2004 - gray has no channels
