"""The simplest tracker: the nearest object is the same one."""

from camfleet.object_trackers.algorithm import TrackerAlgorithm
from camfleet.object_trackers.matching import Place, centre_distance
from camfleet.object_trackers.trackable import (
    DEFAULT_DEREGISTER_FRAMES,
    DEFAULT_HISTORY_LENGTH,
    DEFAULT_MIN_INERTIA,
    TrackablePrediction,
    TrackerCallback,
)


class CentroidTracker(TrackerAlgorithm[TrackablePrediction]):
    """Pairs centres with where they were in the frame before, the nearest first."""

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
        """Nothing is followed yet; TrackerAlgorithm explains what is not said here.

        Args:
            deregister_frames: frames after which an object that is not found is dropped.
            max_distance: how many pixels an object moves from frame to frame at most.
            min_inertia: frames in which an object must be found to be believed.
            confidence_threshold: predictions below it are left out.
            history_length: predictions that each object remembers.
            enter_cb: called as `enter_cb(object_id, trackable)`.
            exit_cb: called as `exit_cb(object_id, trackable)`.
            max_distance_norm: in place of max_distance, in diagonals of the object's box, which
                holds for any size of picture; 1 when neither is given.
        """
        super().__init__(
            deregister_frames,
            min_inertia,
            history_length,
            enter_cb,
            exit_cb,
            TrackablePrediction,
            centre_distance(_last_place, max_distance, max_distance_norm),
            confidence_threshold=confidence_threshold,
        )


def _last_place(followed: TrackablePrediction) -> Place:
    return followed.box.center
