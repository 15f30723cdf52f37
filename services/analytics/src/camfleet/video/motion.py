"""Has the picture changed since the model last saw it? What has not need not be asked about again.

The picture is averaged down to a coarse grid of grey values, which takes out the noise of sensor
and coding, and compared with the grid of the picture that was looked at last: slow movements add
up until they are seen. A change of the light as a whole is no movement.
"""

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

GRID = (64, 36)  # cells across and down
THRESHOLD = 6.0  # grey levels by which a cell must have changed
LONGEST_REST_S = 10.0  # after which the model looks again whatever the picture says


class MotionGate:
    """One camera's memory of the picture that was looked at last. Not thread-safe."""

    def __init__(self) -> None:
        self._seen: NDArray[np.float32] | None = None
        self._seen_s = 0.0

    def is_still(self, picture: av.VideoFrame, time_s: float) -> bool:
        """True when nothing moved since the last picture for which this was False.

        Args:
            picture: the picture as it was decoded.
            time_s: its time on the stream's clock.
        """
        grid = _grid_of(picture)
        seen, rest_s = self._seen, time_s - self._seen_s
        if seen is not None and 0 <= rest_s < LONGEST_REST_S and not _moved(seen, grid):
            return True
        self._seen, self._seen_s = grid, time_s
        return False

    def forget(self) -> None:
        """Take the next picture for one that moved."""
        self._seen = None


def _grid_of(picture: av.VideoFrame) -> NDArray[np.float32]:
    width, height = GRID
    small = picture.reformat(
        width=width, height=height, format="gray", interpolation=Interpolation.AREA
    )
    return small.to_ndarray().astype(np.float32)


def _moved(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    change = now - before
    change -= np.median(change)
    return bool(np.abs(change).max() > THRESHOLD)
