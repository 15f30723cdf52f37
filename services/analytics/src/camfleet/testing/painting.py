"""Clips of coloured boxes that walk: content that is known to the pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camfleet.writers.video_file import VideoWriter

Box = tuple[float, float, float, float]  # left, top, right, bottom; 0 to 1
# Far apart, so that video compression does not turn one into another. Blue, green, red.
COLOURS_BGR = (
    (0, 0, 230),
    (0, 200, 0),
    (230, 0, 0),
    (0, 220, 220),
    (220, 0, 220),
    (220, 220, 0),
    (0, 0, 0),
)
GROUND_BGR = (90, 90, 90)


@dataclass(frozen=True, slots=True)
class Walk:
    """A box that moves in a straight line while the clip plays; it is there in some frames only.

    `label` is its number among the labels of the detector: it chooses the colour.
    """

    start: Box
    end: Box
    label: int = 0
    frames: tuple[int, int] | None = None  # first, and the one after the last; None is always

    def at(self, number: int, count: int) -> Box | None:
        """Where it is in a frame of a clip of `count` frames; None where it is not there."""
        first, after = self.frames or (0, count)
        if not first <= number < after:
            return None
        part = (number - first) / max(1, after - first - 1)
        left, top, right, bottom = (
            a + part * (b - a) for a, b in zip(self.start, self.end, strict=True)
        )
        return left, top, right, bottom


def paint(boxes: Sequence[tuple[Box, int]], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image (H, W, 3) BGR of `size` (width, height) with boxes in the colours of labels."""
    width, height = size
    image = np.full((height, width, 3), GROUND_BGR, np.uint8)
    for (left, top, right, bottom), label in boxes:
        rows = slice(round(top * height), round(bottom * height))
        image[rows, round(left * width) : round(right * width)] = COLOURS_BGR[label]
    return image


def write_clip(
    path: Path,
    walks: Sequence[Walk],
    *,
    frames: int = 30,
    fps: float = 10,
    size: tuple[int, int] = (320, 180),
) -> Path:
    """Write a film (.mp4) of walking boxes and return its path; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps=fps) as writer:
        for number in range(frames):
            there = [(walk.at(number, frames), walk.label) for walk in walks]
            boxes = [(box, label) for box, label in there if box is not None]
            writer.write_frame(paint(boxes, size))
    return path
