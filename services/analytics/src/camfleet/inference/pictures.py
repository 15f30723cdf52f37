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
        from camfleet.inference.array_scaling import scaled_array  # noqa: PLC0415 - slow to import

        return _with_channels(scaled_array(picture, size, colour))
    frame = reformatted(picture, _FORMATS[colour], size, Interpolation.AREA)
    return _with_channels(np.asarray(frame.to_ndarray(), np.uint8))


def _with_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels if pixels.ndim == 3 else pixels[:, :, None]  # noqa: PLR2004 - gray has no channels
