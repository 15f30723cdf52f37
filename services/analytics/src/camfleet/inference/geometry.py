"""How a frame was fitted into a model's input, and the way back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Resize:
    """input = frame * scale + offset, per axis; sizes are (width, height) in pixels."""

    frame_size: tuple[int, int]
    input_size: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)

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


def _row(values: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def stretch(frame_size: tuple[int, int], input_size: tuple[int, int]) -> Resize:
    """The frame fills the input; its proportions are not kept."""
    scale = (input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    return Resize(frame_size, input_size, scale)


def letterbox(frame_size: tuple[int, int], input_size: tuple[int, int], *, centred: bool) -> Resize:
    """The whole frame in its proportions, centred or in the top left corner of the input."""
    factor = min(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    spare = (input_size[0] - frame_size[0] * factor, input_size[1] - frame_size[1] * factor)
    offset = (spare[0] // 2, spare[1] // 2) if centred else (0.0, 0.0)
    return Resize(frame_size, input_size, (factor, factor), offset)


def crop(frame_size: tuple[int, int], input_size: tuple[int, int]) -> Resize:
    """The middle of the frame in its proportions fills the input; the rest is cut away."""
    factor = max(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
    offset = tuple(
        (wanted - given * factor) / 2 for wanted, given in zip(input_size, frame_size, strict=True)
    )
    return Resize(frame_size, input_size, (factor, factor), (offset[0], offset[1]))
