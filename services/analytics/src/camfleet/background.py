"""What moves in front of a still camera, by OpenCV in this process; it needs no model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import UnsupportedEngine
from camfleet.images import Image, check_image

Contours = list[NDArray[np.int32]]
_NO_CUDA = "{}: the OpenCV of camfleet has no CUDA; leave `cuda` out, it computes on the CPU"


class MOG2:
    """Learns the background as mixtures of Gaussians."""

    def __init__(
        self,
        history: int = 500,
        var_threshold: float = 16,
        detect_shadows: bool = True,
        cuda: bool = False,
    ) -> None:
        """Know nothing yet; raises UnsupportedEngine for `cuda`.

        Args:
            history: frames that the background is learned from.
            var_threshold: squared distance from the background, in variances, of what is in front.
            detect_shadows: shadows are grey (127) in the mask, not white.
            cuda: on a GPU.
        """
        import cv2  # noqa: PLC0415 - slow to import

        if cuda:
            raise UnsupportedEngine(_NO_CUDA.format("MOG2"))
        self._model = cv2.createBackgroundSubtractorMOG2(history, var_threshold, detect_shadows)

    def process_frame(self, frame: Image, learning_rate: float = -1) -> NDArray[np.uint8]:
        """The mask (H, W) of what is in front: 0, 127 or 255; raises BadImage.

        `learning_rate` is 0 (learn nothing) to 1 (forget all); -1 lets `history` decide.
        """
        return _mask_of(self._model, frame, learning_rate, "MOG2")


class KNN:
    """Learns the background as samples of each pixel."""

    def __init__(
        self,
        history: int = 500,
        dist2_threshold: float = 400,
        detect_shadows: bool = True,
    ) -> None:
        """Know nothing yet.

        Args:
            history: frames that the background is learned from.
            dist2_threshold: squared distance from a sample, in grey levels, that is still near.
            detect_shadows: shadows are grey (127) in the mask, not white.
        """
        import cv2  # noqa: PLC0415 - slow to import

        self._model = cv2.createBackgroundSubtractorKNN(history, dist2_threshold, detect_shadows)

    def process_frame(self, frame: Image, learning_rate: float = -1) -> NDArray[np.uint8]:
        """As MOG2.process_frame."""
        return _mask_of(self._model, frame, learning_rate, "KNN")


def get_contours(raw_contours: Sequence[Any]) -> Contours:
    """The contours of what cv2.findContours returned, whichever OpenCV that was."""
    return list(raw_contours[-2])


def get_boundingboxes(contours: Sequence[NDArray[np.int32]]) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of each contour, in pixels."""
    import cv2  # noqa: PLC0415 - slow to import

    boxes = (cv2.boundingRect(contour) for contour in contours)
    return [(int(x), int(y), int(width), int(height)) for x, y, width, height in boxes]


def _mask_of(model: Any, frame: Image, learning_rate: float, who: str) -> NDArray[np.uint8]:
    mask: NDArray[np.uint8] = model.apply(check_image(frame, who), learningRate=learning_rate)
    return mask
