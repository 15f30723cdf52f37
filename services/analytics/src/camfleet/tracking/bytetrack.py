"""ByteTrack of the `trackers` package, fed with the times of the frames that were really seen."""

import warnings
from typing import Any

import numpy as np

from camfleet.decoders.suppression import suppress
from camfleet.detections import Detections

LOW_CONFIDENCE_SHARE = 0.6  # boxes down to this share of the threshold may continue a track
START_BONUS = 0.1  # and this much above it may start one, as ByteTrack's authors do
MOST_CERTAIN = 0.95
SAME_OBJECT_IOU = 0.7  # two classes at one place are one object
_DEFAULTS = {
    "lost_track_buffer": 30,  # frames of a 30 fps stream: one second
    "minimum_consecutive_frames": 2,
}
# Boxes of one object overlap less from frame to frame the slower the frames come.
HIGHEST_MINIMUM_IOU, MINIMUM_IOU_PER_FPS = 0.3, 0.04


class BadTrackerParameters(ValueError):
    """The configuration gives the tracker what it does not take."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"tracker bytetrack: {reason}; see `tracker` in cameras.yaml")


class ByteTracker:
    """One camera's tracker; ids go on counting when it begins anew. Not thread-safe."""

    algorithm = "ByteTrack"

    def __init__(self, fps: float, confidence: float, parameters: dict[str, Any]) -> None:
        """`confidence` starts a track; `parameters` are ByteTrackTracker's own, given by config."""
        self._fps, self._confidence, self._parameters = fps, confidence, parameters
        self._tracker: Any = None  # made when it is needed
        self._first_id, self._highest_id = 1, 0
        self._newest_s = float("-inf")

    @property
    def lowest_confidence(self) -> float:
        """What the decoder should still hand over: weak boxes carry tracks through occlusion."""
        return self._confidence * LOW_CONFIDENCE_SHARE

    def update(self, detections: Detections, time_s: float) -> Detections:
        """The confirmed objects of this frame with their ids; `time_s` on any clock that goes on.

        Weak boxes keep a track alive but are not returned: their edges are not to be counted on.
        """
        if time_s <= self._newest_s:
            self.restart()
        self._newest_s = time_s
        once = suppress(detections.xyxy, detections.confidence, SAME_OBJECT_IOU)
        detections = detections.select(once)
        self.prepare()
        tracked = self._tracker.update(_to_supervision(detections), timestamp=time_s)
        ids = np.asarray(tracked.tracker_id, np.int64)
        order = np.asarray(tracked.data.get("order", []), np.int64)
        confirmed = (ids >= 0) & (detections.confidence[order] >= self._confidence)
        chosen = detections.select(order[confirmed])
        named = ids[confirmed] + self._first_id
        self._highest_id = max([self._highest_id, *named.tolist()])
        return chosen.with_tracker_ids(named)

    def prepare(self) -> None:
        """Import what takes seconds to import, before the first frame comes."""
        if self._tracker is None:
            self._tracker = self._begin()

    def restart(self) -> None:
        """Forget all tracks, as after a gap in the stream; ids are not used twice."""
        self._tracker = None
        self._first_id = self._highest_id + 1
        self._newest_s = float("-inf")

    def _begin(self) -> Any:
        from trackers import ByteTrackTracker  # noqa: PLC0415 - takes seconds to import

        parameters = {
            **_DEFAULTS,
            "minimum_iou_threshold": min(HIGHEST_MINIMUM_IOU, self._fps * MINIMUM_IOU_PER_FPS),
            "track_activation_threshold": min(self._confidence + START_BONUS, MOST_CERTAIN),
            "high_conf_det_threshold": self._confidence,
            **self._parameters,
        }
        try:
            return ByteTrackTracker(frame_rate=self._fps, **parameters)
        except (TypeError, ValueError) as error:
            raise BadTrackerParameters(error) from error


def _to_supervision(detections: Detections) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it recommends an OpenCV that is there
        import supervision as sv  # noqa: PLC0415 - takes seconds to import

    return sv.Detections(
        xyxy=detections.xyxy.astype(np.float64),
        confidence=detections.confidence.astype(np.float64),
        class_id=detections.class_id.astype(int),
        data={"order": np.arange(len(detections))},
    )
