"""A tracker that expects objects to move on as they did."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.object_trackers.algorithm import TrackerAlgorithm
from camfleet.object_trackers.matching import Place, centre_distance
from camfleet.object_trackers.trackable import (
    DEFAULT_DEREGISTER_FRAMES,
    DEFAULT_HISTORY_LENGTH,
    DEFAULT_MIN_INERTIA,
    TrackablePrediction,
    TrackerCallback,
)
from camfleet.results.detection import ObjectDetectionPrediction

_ACCELERATION = 0.02  # how much speeds change, in diagonals per frame and frame
_TREMBLING = 0.03  # how far detectors miss the centre, in diagonals
_FIRST_SPEED = 0.5  # how fast an object may be that is seen first, in diagonals per frame

_Filter = NDArray[np.float64]  # (2, 2): covariance of position and speed, the same for both axes


class TrackableKalmanPrediction(TrackablePrediction):
    """An object with where it is and how fast it goes, by a Kalman filter of constant speed.

    Both axes are measured alike and do not depend on each other, so one 2 x 2 covariance serves
    both; all is in pixels and frames.
    """

    def __init__(self, prediction: ObjectDetectionPrediction, *arguments: Any) -> None:
        """Found for the first time: it may go anywhere."""
        super().__init__(prediction, *arguments)
        self._size = _size_of(prediction)
        self._place = np.array(prediction.box.center, np.float64)
        self._speed = np.zeros(2)
        self._covariance: _Filter = np.diag(
            [(_TREMBLING * self._size) ** 2, (_FIRST_SPEED * self._size) ** 2]
        )

    @property
    def estimated_position(self) -> NDArray[np.float64]:
        """Its centre (x, y) in pixels; also while it is not found."""
        return self._place.copy()

    @property
    def estimated_velocity(self) -> NDArray[np.float64]:
        """Pixels per frame (x, y)."""
        return self._speed.copy()

    def place_at(self, position: NDArray[np.float64]) -> None:
        """It is known to be there, as a record says."""
        self._place = position

    def step(self, **trackable_kwargs: Any) -> None:
        """Move on for one frame."""
        super().step(**trackable_kwargs)
        self._place = self._place + self._speed
        (place, both), (_, speed) = self._covariance.tolist()
        noise = (_ACCELERATION * self._size) ** 2
        place, both = place + 2 * both + speed + noise / 4, both + speed + noise / 2
        self._covariance = np.array([[place, both], [both, speed + noise]])

    def handle_found(self, prediction: ObjectDetectionPrediction, **trackable_kwargs: Any) -> None:
        """Correct place and speed by what was found."""
        super().handle_found(prediction, **trackable_kwargs)
        self._size = _size_of(prediction)
        (place, both), (_, speed) = self._covariance.tolist()
        variance = place + (_TREMBLING * self._size) ** 2
        gain_place, gain_speed = place / variance, both / variance
        off = np.array(prediction.box.center, np.float64) - self._place
        self._place = self._place + gain_place * off
        self._speed = self._speed + gain_speed * off
        self._covariance = np.array(
            [
                [(1 - gain_place) * place, (1 - gain_place) * both],
                [(1 - gain_place) * both, speed - gain_speed * both],
            ]
        )


class KalmanTracker(TrackerAlgorithm[TrackableKalmanPrediction]):
    """Pairs centres with where objects must be by now; bridges frames without detections."""

    def __init__(  # noqa: PLR0913, PLR0917 - edgeIQ's signature
        self,
        deregister_frames: int = DEFAULT_DEREGISTER_FRAMES,
        max_distance: float | None = None,
        min_inertia: int = DEFAULT_MIN_INERTIA,
        confidence_threshold: float | None = None,
        history_length: int = DEFAULT_HISTORY_LENGTH,
        enter_cb: TrackerCallback | None = None,
        exit_cb: TrackerCallback | None = None,
        *,
        max_distance_norm: float | None = None,
    ) -> None:
        """Nothing is followed yet; arguments as those of CentroidTracker.

        Distances are measured from `estimated_position`.
        """
        super().__init__(
            deregister_frames,
            min_inertia,
            history_length,
            enter_cb,
            exit_cb,
            TrackableKalmanPrediction,
            centre_distance(_expected_place, max_distance, max_distance_norm),
            confidence_threshold=confidence_threshold,
        )


def _expected_place(followed: TrackableKalmanPrediction) -> Place:
    x, y = followed.estimated_position.tolist()
    return x, y


def _size_of(prediction: ObjectDetectionPrediction) -> float:
    return max(float(np.hypot(prediction.box.width, prediction.box.height)), 1.0)
