"""Where objects have been, as a grid that a picture can be made of."""

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet.detections import Detections

GRID = (64, 36)  # cells across and down
_PICTURE_WIDTH = 640
_FAINTEST = 0.02  # share of the hottest cell below which nothing is drawn
_MOST_OPAQUE = 200


class HeatMap:
    """Adds up how long objects stood with the middle of their boxes' bottom edge in each cell.

    One thread writes; a reader may see a picture that lacks the newest frame.
    """

    def __init__(self) -> None:
        self.seconds = np.zeros((GRID[1], GRID[0]), np.float32)
        self._frame_size = (16, 9)

    def add(self, objects: Detections, frame_size: tuple[int, int], seconds: float) -> None:
        """Count every object of a frame for the time the frame stands for."""
        self._frame_size = frame_size
        across = (objects.xyxy[:, 0] + objects.xyxy[:, 2]) / 2 / frame_size[0] * GRID[0]
        down = objects.xyxy[:, 3] / frame_size[1] * GRID[1]
        columns = np.clip(across.astype(int), 0, GRID[0] - 1)
        rows = np.clip(down.astype(int), 0, GRID[1] - 1)
        np.add.at(self.seconds, (rows, columns), seconds)

    def to_png(self) -> bytes:
        """A transparent picture of the frames' shape: red where objects were the longest."""
        width, height = self._frame_size
        size = (_PICTURE_WIDTH, max(1, round(_PICTURE_WIDTH * height / width)))
        smooth = cv2.resize(self.seconds, size, interpolation=cv2.INTER_CUBIC)
        encoded = cv2.imencode(".png", _coloured(np.clip(smooth, 0, None)))[1]
        return bytes(encoded.tobytes())


def _coloured(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    share = np.sqrt(heat / max(float(heat.max()), 1e-6))  # a root, so that rare ways show as well
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    opacity = np.where(share < _FAINTEST, 0, 60 + share * (_MOST_OPAQUE - 60))
    return np.dstack([colours, opacity.astype(np.uint8)])
