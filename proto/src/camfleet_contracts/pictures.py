"""How a picture becomes a model's input, and the way back.

Clients that prepare tensors or decode boxes and the server that takes pictures agree by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.model_manifest import Preprocess

Size = tuple[int, int]  # width, height


@dataclass(frozen=True, slots=True)
class Resize:
    """input = frame * scale + offset, per axis; sizes are (width, height) in pixels."""

    frame_size: Size
    input_size: Size
    scale: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)

    @property
    def scaled_size(self) -> Size:
        """The whole frame in pixels of the input, before what falls outside is cut away."""
        sides = zip(self.frame_size, self.scale, strict=True)
        width, height = (max(1, round(side * factor)) for side, factor in sides)
        return width, height

    def place(self, scaled: NDArray[np.uint8], pad: int) -> NDArray[np.uint8]:
        """Lay the scaled frame (H, W, C) where it belongs in the input, with `pad` around it."""
        if self.scaled_size == self.input_size:
            return scaled
        canvas = np.full((*self.input_size[::-1], scaled.shape[2]), pad, np.uint8)
        _paste(scaled, canvas, round(self.offset[0]), round(self.offset[1]))
        return canvas

    def boxes_to_frame(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (N, 4) in input pixels become frame pixels."""
        offset, scale = _row(self.offset * 2), _row(self.scale * 2)
        return (xyxy - offset) / scale

    def points_to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in input pixels become frame pixels."""
        return (points - _row(self.offset)) / _row(self.scale)

    def clip(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in frame pixels, cut at the frame's edges."""
        width, height = self.frame_size
        return np.clip(xyxy, 0, _row((width, height) * 2))


def stretch(frame_size: Size, input_size: Size) -> Resize:
    """The frame fills the input; its proportions are not kept."""
    scale = (input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    return Resize(frame_size, input_size, scale)


def letterbox(frame_size: Size, input_size: Size, *, centred: bool) -> Resize:
    """The whole frame in its proportions, centred or in the top left corner of the input."""
    factor = min(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    spare = (input_size[0] - frame_size[0] * factor, input_size[1] - frame_size[1] * factor)
    offset = (spare[0] // 2, spare[1] // 2) if centred else (0.0, 0.0)
    return Resize(frame_size, input_size, (factor, factor), offset)


def crop(frame_size: Size, input_size: Size) -> Resize:
    """The middle of the frame in its proportions fills the input; the rest is cut away."""
    factor = max(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    offset = tuple(
        (wanted - given * factor) / 2 for wanted, given in zip(input_size, frame_size, strict=True)
    )
    return Resize(frame_size, input_size, (factor, factor), (offset[0], offset[1]))


def fit(kind: str, frame_size: Size, input_size: Size) -> Resize:
    """Fit by the name a manifest gives as `preprocess.resize`."""
    return _KINDS[kind](frame_size, input_size)


def normalise(
    pixels: NDArray[np.uint8], preprocess: Preprocess, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Pixels (H, W, C), sized and in the colour order wanted, in the layout and type of the input.

    x' = (x - mean) * scale in float32; integers are rounded to the nearest.
    """
    if preprocess.layout == "NCHW":
        pixels = pixels.transpose(2, 0, 1)
    if is_plain(preprocess):
        return np.ascontiguousarray(pixels, dtype=dtype)
    given, mean, scale = _operands(pixels, preprocess)
    floats = np.subtract(given, mean, dtype=np.float32, order="C")
    floats *= scale
    floats = floats.reshape(pixels.shape)
    return floats.astype(dtype, copy=False) if dtype.kind == "f" else floats.round().astype(dtype)


def is_plain(preprocess: Preprocess) -> bool:
    """Tell whether the values of the pixels go in as they are."""
    return not np.any(preprocess.mean) and bool(np.all(np.asarray(preprocess.scale) == 1))


_KINDS: Mapping[str, Callable[[Size, Size], Resize]] = {
    "stretch": stretch,
    "crop": crop,
    "letterbox": lambda frame, wanted: letterbox(frame, wanted, centred=True),
    "letterbox-topleft": lambda frame, wanted: letterbox(frame, wanted, centred=False),
}


def _operands(
    pixels: NDArray[np.uint8], preprocess: Preprocess
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Pixels, mean and scale in shapes that numpy goes through in long runs.

    With channels last it would go through three numbers at a time; a row of pixels takes half as
    long.
    """
    is_nchw = preprocess.layout == "NCHW"
    channels = pixels.shape[0] if is_nchw else pixels.shape[2]
    values = (np.asarray(v, np.float32) for v in (preprocess.mean, preprocess.scale))
    mean, scale = (np.broadcast_to(value, (channels,)) for value in values)
    if is_nchw:
        return pixels, mean[:, None, None], scale[:, None, None]
    if np.ptp(mean) == np.ptp(scale) == 0:
        return pixels, mean[:1], scale[:1]
    height, width, _ = pixels.shape
    return pixels.reshape(height, -1), np.tile(mean, width), np.tile(scale, width)


def _row(values: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def _paste(scaled: NDArray[Any], canvas: NDArray[Any], x: int, y: int) -> None:
    """Copy what of `scaled`, laid with its corner at (x, y), falls onto the canvas."""
    left, top = max(0, -x), max(0, -y)
    x, y = max(0, x), max(0, y)
    width = min(scaled.shape[1] - left, canvas.shape[1] - x)
    height = min(scaled.shape[0] - top, canvas.shape[0] - y)
    canvas[y : y + height, x : x + width] = scaled[top : top + height, left : left + width]
