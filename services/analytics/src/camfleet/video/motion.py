"""Has the picture changed since the model last saw it? What has not need not be asked about again.

The picture is averaged down to a coarse grid of grey values, which takes out the noise of sensor
and coding, and compared with the grid of the picture that was looked at last: slow movements add
up until they are seen. A change of the light as a whole is no movement.
"""

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from camfleet.video.once import Once
from camfleet.video.scaling import reformatted

GRID = (64, 36)  # cells across and down
THRESHOLD = 6.0  # grey levels by which a cell must have changed
LONGEST_REST_S = 10.0  # after which the model looks again whatever the picture says


class MotionGate:
    """One camera's memory of the picture that was looked at last. Not thread-safe."""

    def __init__(self) -> None:
        self._seen: NDArray[np.float32] | None = None
        self._seen_s = self._moved_s = 0.0
        self._newest: tuple[av.VideoFrame, NDArray[np.float32]] | None = None
        self._must_look = True

    def is_still(self, picture: av.VideoFrame, time_s: float, once: Once | None = None) -> bool:
        """True when nothing moved since the last picture for which this was False.

        Args:
            picture: the picture as it was decoded.
            time_s: its time on the stream's clock.
            once: of this picture, where others look at it too.
        """
        rest_s = time_s - self._seen_s
        grid = self._grid_of(picture, once or Once())
        if self._seen is None or rest_s < 0 or _moved(self._seen, grid):
            self._moved_s = time_s
        elif not self._must_look and rest_s < LONGEST_REST_S:
            return True
        self._seen, self._seen_s, self._must_look = grid, time_s, False
        return False

    def still_for_s(self, time_s: float) -> float:
        """How long nothing has moved."""
        return time_s - self._moved_s

    def forget(self) -> None:
        """Let the next picture be looked at, whatever it shows."""
        self._must_look = True

    def _grid_of(self, picture: av.VideoFrame, once: Once) -> NDArray[np.float32]:
        """A camera at rest shows one picture many times."""
        if self._newest is None or self._newest[0] is not picture:
            grid, _ = once.ask("motion grid", lambda: _grid_of(picture))
            self._newest = (picture, grid)
        return self._newest[1]


def _grid_of(picture: av.VideoFrame) -> NDArray[np.float32]:
    small = reformatted(picture, "gray", GRID, Interpolation.AREA)
    return small.to_ndarray().astype(np.float32)


def _moved(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    change = now - before
    change -= np.median(change)
    return bool(np.abs(change).max() > THRESHOLD)
