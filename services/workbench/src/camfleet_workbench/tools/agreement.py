"""How far two models agree on the same pictures, and which one is faster."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from camfleet.detections import Detections
from camfleet_workbench.tools.asking import AskableModel

SAME_IOU = 0.5
ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Comparison:
    """`agreement` is the share of objects that both found (0..1); times are medians."""

    pictures: int
    agreement: float
    score_difference: float  # mean of the objects that both found
    first_ms: float
    second_ms: float

    @property
    def speed_up(self) -> float:
        """How many times as fast the second one is."""
        return self.first_ms / max(self.second_ms, 1e-9)


def compare(
    first: AskableModel, second: AskableModel, pictures: Sequence[VideoFrame]
) -> Comparison:
    """Ask both about every picture; the times are taken by turns, on one picture.

    Without a decoder the agreement is the mean cosine of the output tensors.
    """
    pairs = [_one(first, second, picture) for picture in pictures]
    shares, differences = zip(*pairs, strict=True)
    known = [difference for difference in differences if difference is not None]
    first_ms, second_ms = _times(first, second, pictures[0])
    return Comparison(
        len(pictures),
        float(np.mean(shares)),
        float(np.mean(known)) if known else 0.0,
        first_ms,
        second_ms,
    )


def matched(first: Detections, second: Detections) -> list[tuple[int, int]]:
    """Pairs of objects with the same label whose boxes overlap by SAME_IOU; each one once."""
    pairs: list[tuple[int, int]] = []
    free = set(range(len(second)))
    for index in np.argsort(-first.confidence, kind="stable").tolist():
        best = max(
            (other for other in free if second.labels[other] == first.labels[index]),
            key=lambda other: _iou(first.xyxy[index], second.xyxy[other]),
            default=None,
        )
        if best is not None and _iou(first.xyxy[index], second.xyxy[best]) >= SAME_IOU:
            pairs.append((index, best))
            free.discard(best)
    return pairs


def _one(
    first: AskableModel, second: AskableModel, picture: VideoFrame
) -> tuple[float, float | None]:
    if first.manifest.postprocess is None:
        tensors = [model.answer(model.tensor_of(picture)[0]) for model in (first, second)]
        ours, theirs = (np.concatenate([t.ravel() for t in each.values()]) for each in tensors)
        return _cosine(ours.astype(np.float64), theirs.astype(np.float64)), None
    one, other = first.detect(picture), second.detect(picture)
    pairs = matched(one, other)
    if not len(one) and not len(other):
        return 1.0, None
    share = 2 * len(pairs) / (len(one) + len(other))
    differences = [abs(float(one.confidence[a] - other.confidence[b])) for a, b in pairs]
    return share, float(np.mean(differences)) if differences else None


def _times(first: AskableModel, second: AskableModel, picture: VideoFrame) -> tuple[float, float]:
    tensors = [(model, model.tensor_of(picture)[0]) for model in (first, second)]
    taken: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for number, (model, tensor) in enumerate(tensors):
            began_at = time.perf_counter()
            model.answer(tensor)
            taken[number].append((time.perf_counter() - began_at) * 1000)
    return median(taken[0]), median(taken[1])


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 1.0


def _iou(box: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    areas = float(np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]))
    return shared / max(areas - shared, 1e-9)
