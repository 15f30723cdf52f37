"""Trackers of the `trackers` package, fed with the times of the frames that were really seen."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
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
# Boxes of one object overlap less from frame to frame the longer it takes until the next one.
HIGHEST_MINIMUM_IOU, MINIMUM_IOU_FALLS_S = 0.3, 0.04
# What one step of the motion model means; real times say how many of them a frame is away.
STEPS_PER_S = 15.0
TRIAL_FRAMES = 4
_TRIAL = Detections(
    np.array([[10, 10, 50, 60]], np.float32),
    np.ones(1, np.float32),
    np.zeros(1, np.int64),
    ("trial",),
)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One tracker of the package: its name, its class, and what its parameters are called."""

    name: str
    class_name: str
    minimum_iou: str = "minimum_iou_threshold"
    activation: str = ""  # confidence that starts a track; empty: it takes every strong box
    strong: str = ""  # from where a box is strong; empty: weak boxes are of no use to it
    fixed: Mapping[str, Any] | None = None


_ACTIVATION, _STRONG = "track_activation_threshold", "high_conf_det_threshold"
ALGORITHMS = {
    "bytetrack": Algorithm("ByteTrack", "ByteTrackTracker", activation=_ACTIVATION, strong=_STRONG),
    "sort": Algorithm("SORT", "SORTTracker", activation=_ACTIVATION),
    "ocsort": Algorithm("OC-SORT", "OCSORTTracker", strong=_STRONG),
    "botsort": Algorithm(
        "BoT-SORT",
        "BoTSORTTracker",
        minimum_iou="minimum_iou_threshold_first_assoc",
        activation=_ACTIVATION,
        strong=_STRONG,
        # The cameras stand still, and a track is told only when it is confirmed.
        fixed={"enable_cmc": False, "instant_first_frame_activation": False},
    ),
}


class BadTrackerParameters(ValueError):
    """The configuration gives the tracker what it does not take."""

    def __init__(self, kind: str, reason: object) -> None:
        super().__init__(f"tracker {kind}: {reason}; see `tracker` in cameras.yaml")


class BoxTracker:
    """One camera's tracker; ids go on counting when it begins anew. Not thread-safe."""

    def __init__(
        self, kind: str, confidence: float, given: Mapping[str, Any], *, after_id: int = 0
    ) -> None:
        """Nothing is imported yet.

        Args:
            kind: a name of ALGORITHMS.
            confidence: what starts a track.
            given: parameters of the package's own tracker.
            after_id: the highest id that was given before.
        """
        self._kind, self._confidence, self._given = kind, confidence, given
        self._chosen = ALGORITHMS[kind]
        self._tracker: Any = None  # made when it is needed
        self._is_tried = False
        self._first_id, self._highest_id = after_id + 1, after_id
        self._newest_s = float("-inf")

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""
        return self._chosen.name

    @property
    def lowest_confidence(self) -> float:
        """What the decoder should still hand over: weak boxes carry tracks through occlusion."""
        return self._confidence * (LOW_CONFIDENCE_SHARE if self._chosen.strong else 1.0)

    def update(self, detections: Detections, time_s: float) -> Detections:
        """The confirmed objects of this frame with their ids; `time_s` on any clock that goes on.

        Weak boxes keep a track alive but are not returned: their edges are not to be counted on.
        """
        if time_s <= self._newest_s:
            self.restart()
        once = suppress(detections.xyxy, detections.confidence, SAME_OBJECT_IOU)
        detections = detections.select(once)
        self.prepare()
        self._follow_rate(time_s)
        tracked = self._tracker.update(_to_supervision(detections), timestamp=time_s)
        ids = np.asarray(tracked.tracker_id, np.int64)
        order = np.asarray(tracked.data.get("order", []), np.int64)
        confirmed = (ids >= 0) & (detections.confidence[order] >= self._confidence)
        chosen = detections.select(order[confirmed])
        named = ids[confirmed] + self._first_id
        self._highest_id = max([self._highest_id, *named.tolist()])
        return chosen.with_tracker_ids(named)

    def prepare(self) -> None:
        """Import what takes seconds to import, and try it, before the first frame comes."""
        if not self._is_tried:
            self._try()
            self._is_tried = True
        if self._tracker is None:
            self._tracker = self._begin()

    def restart(self) -> None:
        """Forget all tracks, as after a gap in the stream; ids are not used twice."""
        self._tracker = None
        self._first_id = self._highest_id + 1
        self._newest_s = float("-inf")

    def _follow_rate(self, time_s: float) -> None:
        """The rate that counts is the one at which frames really come, not the wanted one."""
        since_s, self._newest_s = time_s - self._newest_s, time_s
        name = self._chosen.minimum_iou
        if name not in self._given:
            setattr(self._tracker, name, min(HIGHEST_MINIMUM_IOU, MINIMUM_IOU_FALLS_S / since_s))

    def _try(self) -> None:
        """Let a tracker see a few frames: it takes parameters that it fails with only then."""
        tried = self._begin()
        try:
            for number in range(TRIAL_FRAMES):
                tried.update(_to_supervision(_TRIAL), timestamp=number / STEPS_PER_S)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            given = ", ".join(f"{name}: {value}" for name, value in self._given.items())
            raise BadTrackerParameters(self._kind, f"fails with {given}: {error}") from error

    def _begin(self) -> Any:
        import trackers  # noqa: PLC0415 - takes seconds to import

        make = getattr(trackers, self._chosen.class_name)
        try:
            return make(frame_rate=STEPS_PER_S, **self._parameters())
        except (TypeError, ValueError) as error:
            raise BadTrackerParameters(self._kind, error) from error

    def _parameters(self) -> dict[str, Any]:
        chosen, fixed = self._chosen, self._chosen.fixed or {}
        if set(self._given) & set(fixed):
            raise ValueError(f"{', '.join(fixed)} cannot be set")
        derived = {
            chosen.activation: min(self._confidence + START_BONUS, MOST_CERTAIN),
            chosen.strong: self._confidence,
        }
        derived.pop("", None)
        return {**_DEFAULTS, **derived, **fixed, **self._given}


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
