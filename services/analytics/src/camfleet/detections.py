"""Detections: everything one decoder found in one frame, as arrays in one record."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)
Vector = NDArray[np.float32]  # (2,): across and down


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N objects; boxes are in pixels of the frame the model was asked about."""

    xyxy: NDArray[np.float32]  # (N, 4)
    confidence: NDArray[np.float32]  # (N,)
    class_id: NDArray[np.int64]  # (N,)
    labels: tuple[str, ...]  # one per object
    tracker_id: NDArray[np.int64] | None = None  # (N,); -1 is not confirmed yet
    key_points: NDArray[np.float32] | None = None  # (N, K, 3): x, y in pixels, confidence
    masks: NDArray[np.bool_] | None = None  # (N, h, w): cells of equal size over the whole frame
    embeddings: NDArray[np.float32] | None = None  # (N, D), each of length 1

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
            tracker_id=_rows(self.tracker_id, indices),
            key_points=_rows(self.key_points, indices),
            masks=_rows(self.masks, indices),
            embeddings=_rows(self.embeddings, indices),
        )

    def with_labels_in(self, wanted: tuple[str, ...]) -> "Detections":
        """Only the objects with one of these labels; all of them when none is named."""
        if not wanted:
            return self
        return self.select(np.array([label in wanted for label in self.labels], dtype=np.bool_))

    def placed(self, scale: Vector, shift: Vector) -> "Detections":
        """The same objects in another picture's pixels; masks, which are of a frame, go."""
        points = self.key_points
        if points is not None:
            points = np.concatenate([points[..., :2] * scale + shift, points[..., 2:]], axis=-1)
        xyxy = self.xyxy * np.tile(scale, 2) + np.tile(shift, 2)
        return replace(self, xyxy=xyxy, key_points=points, masks=None)

    def with_tracker_ids(self, tracker_id: NDArray[np.int64]) -> "Detections":
        """The same objects with their identities."""
        return replace(self, tracker_id=tracker_id)


def _rows(
    values: NDArray[Value] | None, indices: NDArray[np.bool_] | NDArray[np.int64]
) -> NDArray[Value] | None:
    return None if values is None else values[indices]


def no_detections() -> Detections:
    """What a decoder returns for an empty frame."""
    return Detections(
        xyxy=np.empty((0, 4), np.float32),
        confidence=np.empty(0, np.float32),
        class_id=np.empty(0, np.int64),
        labels=(),
    )
