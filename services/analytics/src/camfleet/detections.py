"""Detections: everything one decoder found in one frame, as arrays in one record."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N objects; boxes are in pixels of the frame the model was asked about."""

    xyxy: NDArray[np.float32]  # (N, 4)
    confidence: NDArray[np.float32]  # (N,)
    class_id: NDArray[np.int64]  # (N,)
    labels: tuple[str, ...]  # one per object
    tracker_id: NDArray[np.int64] | None = None  # (N,); -1 is not confirmed yet
    key_points: NDArray[np.float32] | None = None  # (N, K, 3): x, y in pixels, confidence

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self.confidence)

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Detections":
        """The objects of a mask or of indices, in the order of the indices."""
        indices = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Detections(
            xyxy=self.xyxy[indices],
            confidence=self.confidence[indices],
            class_id=self.class_id[indices],
            labels=tuple(self.labels[index] for index in indices),
            tracker_id=None if self.tracker_id is None else self.tracker_id[indices],
            key_points=None if self.key_points is None else self.key_points[indices],
        )

    def with_labels_in(self, wanted: tuple[str, ...]) -> "Detections":
        """Only the objects with one of these labels; all of them when none is named."""
        if not wanted:
            return self
        return self.select(np.array([label in wanted for label in self.labels], dtype=np.bool_))

    def with_tracker_ids(self, tracker_id: NDArray[np.int64]) -> "Detections":
        """The same objects with their identities."""
        return replace(self, tracker_id=tracker_id)


def no_detections() -> Detections:
    """What a decoder returns for an empty frame."""
    return Detections(
        xyxy=np.empty((0, 4), np.float32),
        confidence=np.empty(0, np.float32),
        class_id=np.empty(0, np.int64),
        labels=(),
    )
