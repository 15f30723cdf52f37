"""A tracker that looks for objects in the picture itself while the detector misses them."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import cv2

from camfleet.images import Image, check_image
from camfleet.object_trackers.algorithm import TrackerAlgorithm
from camfleet.object_trackers.matching import Place, centre_distance
from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import (
    DEFAULT_DEREGISTER_FRAMES,
    DEFAULT_HISTORY_LENGTH,
    TrackablePrediction,
    TrackerCallback,
)
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction

_SMALLEST_PX = 8  # a filter of less has nothing to hold on to


class TrackingState(Enum):
    """How an object's box is known."""

    DETECT = "DETECT"  # the detector found it
    REDETECT = "REDETECT"  # it is followed in the picture until the detector finds it again


class TrackableCorrelationPrediction(TrackablePrediction):
    """An object with a correlation filter (KCF) that runs while it is not detected."""

    def __init__(self, prediction: ObjectDetectionPrediction, *arguments: Any) -> None:
        """Detected for the first time."""
        super().__init__(prediction, *arguments)
        self._filter: Any = None

    @property
    def state(self) -> TrackingState:
        """How its box is known now."""
        return TrackingState.DETECT if self._filter is None else TrackingState.REDETECT

    def step(self, **trackable_kwargs: Any) -> None:
        """A frame begins: look for it in `image`, if the detector has missed it before."""
        super().step(**trackable_kwargs)
        if self._filter is not None:
            self._follow(trackable_kwargs["image"])

    def handle_found(self, prediction: ObjectDetectionPrediction, **trackable_kwargs: Any) -> None:
        """Detected: no filter is needed any more."""
        super().handle_found(prediction, **trackable_kwargs)
        self._filter = None

    def handle_disappeared(self, **trackable_kwargs: Any) -> None:
        """Missed by the detector: learn how it looked in `before`, and look for it in `image`."""
        super().handle_disappeared(**trackable_kwargs)
        image, before = trackable_kwargs["image"], trackable_kwargs["before"]
        has_image = before is not None and before.shape == image.shape
        if self.disappeared_frames == 1 and has_image and trackable_kwargs["may_follow"]():
            self._begin(before)
            if self._filter is not None:
                self._follow(image)

    def _begin(self, image: Image) -> None:
        height, width = image.shape[:2]
        box = self.box
        left, top = max(0, box.start_x), max(0, box.start_y)
        across, down = min(width, box.end_x) - left, min(height, box.end_y) - top
        if min(across, down) >= _SMALLEST_PX:
            self._filter = cv2.TrackerKCF.create()
            self._filter.init(image, (left, top, across, down))
            self._filter.update(image)  # it learns with its first update, and looks from then on

    def _follow(self, image: Image) -> None:
        """Where it is not seen any more the box stays and the filter ends."""
        is_seen, (left, top, width, height) = self._filter.update(image)
        if not is_seen:
            self._filter = None
            return
        box = BoundingBox(left, top, left + width, top + height)
        found = self.prediction
        self.prediction = ObjectDetectionPrediction(box, found.confidence, found.label, found.index)


class CorrelationTracker(TrackerAlgorithm[TrackableCorrelationPrediction]):
    """Call it with every image, and with predictions as often as the detector runs.

    An object that is not among the predictions is followed in the image, so that a detector may
    run on every n-th frame only: pass an empty list in between.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - edgeIQ's signature
        self,
        max_objects: int | None = None,
        deregister_frames: int = DEFAULT_DEREGISTER_FRAMES,
        max_distance: float | None = None,
        min_inertia: int = 1,
        confidence_threshold: float | None = None,
        history_length: int = DEFAULT_HISTORY_LENGTH,
        enter_cb: TrackerCallback | None = None,
        exit_cb: TrackerCallback | None = None,
        *,
        max_distance_norm: float | None = None,
    ) -> None:
        """Nothing is followed yet; the other arguments as those of CentroidTracker.

        Args:
            max_objects: how many are followed in the image at once at most: each costs 2 to 5 ms
                a frame. None: all.
            deregister_frames: frames without a detection after which an object is dropped.
            max_distance: pixels between the object's box in the image and a prediction of it.
            min_inertia: detections that an object needs to be believed.
            confidence_threshold: predictions below it are left out.
            history_length: predictions that each object remembers.
            enter_cb: called as `enter_cb(object_id, trackable)`.
            exit_cb: called as `exit_cb(object_id, trackable)`.
            max_distance_norm: in place of max_distance, in diagonals of the object's box.
        """
        super().__init__(
            deregister_frames,
            min_inertia,
            history_length,
            enter_cb,
            exit_cb,
            TrackableCorrelationPrediction,
            centre_distance(_last_place, max_distance, max_distance_norm),
            confidence_threshold=confidence_threshold,
        )
        self._max_objects = max_objects
        self._before: Image | None = None

    def update(  # type: ignore[override]  # the image is a must here, as in edgeIQ
        self, predictions: Sequence[ObjectDetectionPrediction], image: Image
    ) -> TrackingResults[TrackableCorrelationPrediction]:
        """Take the next frame, (H, W, 3) BGR, and what was detected in it, if it was asked.

        Raises:
            BadImage: it is not an image.
            CallbackFailed: a callback raised; the frame was taken nevertheless.
        """
        check_image(image, "CorrelationTracker")
        before, self._before = self._before, image.copy()
        return super().update(predictions, image=image, before=before, may_follow=self._has_room)

    def _has_room(self) -> bool:
        running = sum(one.state is TrackingState.REDETECT for one in self._followed)
        return self._max_objects is None or running < self._max_objects


def _last_place(followed: TrackableCorrelationPrediction) -> Place:
    return followed.box.center
