"""One object that a tracker follows."""

from collections import deque
from collections.abc import Callable
from types import GenericAlias
from typing import Any, TypeAlias

from camfleet.object_trackers.errors import CallbackFailed
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction

DEFAULT_DEREGISTER_FRAMES = 30
DEFAULT_MIN_INERTIA = 3
DEFAULT_HISTORY_LENGTH = 50

TrackerCallback: TypeAlias = Callable[[int, Any], object]
_NOT_YET = -1


class TrackablePrediction:
    """An object, its newest prediction, and how long it is known. The tracker changes it.

    Attributes:
        prediction: what was found of it last.
        tid: its id; -1 before it is initialized.
        inertia: frames it was found in, less those it was not found in; from 0 to min_inertia.
        hits: frames it was found in.
        age: frames since it was found first.
        disappeared_frames: frames since it was found last.
    """

    def __class_getitem__(cls, item: object) -> GenericAlias:
        """Annotations of edgeIQ name what is followed."""
        return GenericAlias(cls, item)

    def __init__(
        self,
        prediction: ObjectDetectionPrediction,
        deregister_frames: int = DEFAULT_DEREGISTER_FRAMES,
        min_inertia: int = DEFAULT_MIN_INERTIA,
        history_length: int = DEFAULT_HISTORY_LENGTH,
        enter_cb: TrackerCallback | None = None,
        exit_cb: TrackerCallback | None = None,
    ) -> None:
        """Found for the first time."""
        self.prediction = prediction
        self.deregister_frames, self.min_inertia = deregister_frames, min_inertia
        self.tid = _NOT_YET
        self.inertia, self.hits, self.age, self.disappeared_frames = 1, 1, 0, 0
        self._history = deque([prediction], maxlen=max(1, history_length))
        self._enter_cb, self._exit_cb = enter_cb, exit_cb

    def __repr__(self) -> str:
        """What was found last, and how often."""
        found = f"label={self.label!r}, confidence={self.confidence:.2f}, box={self.box}"
        seen = f"hits={self.hits}, disappeared_frames={self.disappeared_frames}"
        return f"{type(self).__name__}(tid={self.tid}, {found}, {seen})"

    @property
    def is_initialized(self) -> bool:
        """True once it was found often enough to be believed; from then on it has an id."""
        return self.tid != _NOT_YET

    @property
    def is_ready(self) -> bool:
        """True when it has been found often enough but has no id yet."""
        return not self.is_initialized and self.inertia >= self.min_inertia

    @property
    def is_lost(self) -> bool:
        """True when it was not found for so long that its tracker drops it."""
        if self.is_initialized:
            return self.disappeared_frames > self.deregister_frames
        return self.inertia <= 0

    @property
    def history(self) -> list[ObjectDetectionPrediction]:
        """What was found of it, oldest first."""
        return list(self._history)

    @property
    def label(self) -> str:
        """Of the newest prediction; it may be set until the next one comes."""
        return self.prediction.label

    @label.setter
    def label(self, label: str) -> None:
        found = self.prediction
        self.prediction = ObjectDetectionPrediction(found.box, found.confidence, label, found.index)

    @property
    def index(self) -> int:
        """Of its label."""
        return self.prediction.index

    @property
    def box(self) -> BoundingBox:
        """Where it was found last."""
        return self.prediction.box

    @property
    def confidence(self) -> float:
        """Of the newest prediction."""
        return self.prediction.confidence

    def step(self, **_: Any) -> None:
        """A frame begins."""
        self.age += 1

    def handle_found(self, prediction: ObjectDetectionPrediction, **_: Any) -> None:
        """It was found in this frame."""
        self.prediction = prediction
        self._history.append(prediction)
        self.hits += 1
        self.inertia = min(self.inertia + 1, max(1, self.min_inertia))
        self.disappeared_frames = 0

    def handle_disappeared(self, **_: Any) -> None:
        """It was not found in this frame."""
        self.inertia = max(0, self.inertia - 1)
        self.disappeared_frames += 1

    def handle_entered(self, object_id: int) -> None:
        """It is believed from now on.

        Raises:
            CallbackFailed: enter_cb raised.
        """
        self.tid = object_id
        _call("enter_cb", self._enter_cb, object_id, self)

    def handle_removed(self) -> None:
        """Its tracker has dropped it.

        Raises:
            CallbackFailed: exit_cb raised.
        """
        if self.is_initialized:
            _call("exit_cb", self._exit_cb, self.tid, self)


def _call(
    which: str, callback: TrackerCallback | None, object_id: int, trackable: TrackablePrediction
) -> None:
    if callback is None:
        return
    try:
        callback(object_id, trackable)
    except Exception as error:  # whatever an application's own code does, the track goes on
        raise CallbackFailed(which, callback, object_id) from error
