"""Models for FakeServer: what they answer is Python, not weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.testing.painting import COLOURS_BGR, Box

_INPUT = (1, 3, 180, 320)
_NEAR = 70  # of the sum of three channels' differences; compression blurs edges
_SMALLEST = 12  # pixels; less is dirt of the compression


@dataclass(frozen=True, slots=True)
class Sighting:
    """One box that a fake detector reports."""

    label: int
    box: Box
    confidence: float = 0.9


@dataclass(frozen=True, slots=True)
class FakeModel:
    """What a server tells of a model, and how it answers.

    Args:
        manifest: as model.json has it; its `postprocess.decoder` reads the answer.
        answer: gets a picture (H, W, 3) BGR of uint8 as the client sent it, and returns outputs by
            name, with the batch as their first axis.
        input_shape: (1, 3, height, width); pictures arrive in this size.
        runs_on: platform and device that the server claims to use, as ("HailoRT", "HAILO").
    """

    manifest: Mapping[str, Any]
    answer: Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
    input_shape: tuple[int, int, int, int] = _INPUT
    runs_on: tuple[str, str] = ("OpenVINO", "CPU")
    version: int = 1
    asked: list[tuple[int, int]] = field(default_factory=list)  # (width, height) of what came

    def told(self) -> dict[str, Any]:
        """The manifest that clients receive."""
        platform, device = self.runs_on
        return {**self.manifest, "served_by": {"platform": platform, "device": device}}


def painted_detector(
    labels: Sequence[str],
    *,
    finds: Callable[[NDArray[np.uint8]], Sequence[Sighting]] | None = None,
    runs_on: tuple[str, str] = ("OpenVINO", "CPU"),
) -> FakeModel:
    """A detector that finds boxes painted in the colour of each label (at most seven labels).

    `finds` is asked in place of looking at colours.
    """
    if len(labels) > len(COLOURS_BGR) and finds is None:
        raise ValueError(f"{len(labels)} labels; there are {len(COLOURS_BGR)} colours")
    look = finds or (lambda image_bgr: _painted(image_bgr, len(labels)))

    def answer(image_bgr: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        rows = [[0, one.label, one.confidence, *one.box] for one in look(image_bgr)]
        return {"detections": np.array(rows or [[-1] * 7], np.float32)[None, None]}

    manifest = {
        "purpose": "ObjectDetection",
        "labels": list(labels),
        "preprocess": {"layout": "NCHW", "colour": "BGR"},
        "postprocess": {"decoder": "ssd-detections"},
    }
    return FakeModel(manifest, answer, runs_on=runs_on)


def _painted(image_bgr: NDArray[np.uint8], count: int) -> list[Sighting]:
    import cv2  # noqa: PLC0415 - loads long, and a test may look by itself

    height, width = image_bgr.shape[:2]
    found = []
    for label in range(count):
        colour = np.array(COLOURS_BGR[label], np.int16)
        near = np.abs(image_bgr.astype(np.int16) - colour).sum(axis=2) < _NEAR
        _, _, boxes, _ = cv2.connectedComponentsWithStats(near.astype(np.uint8))
        for left, top, wide, high, area in boxes[1:].tolist():
            if area >= _SMALLEST:
                box = (left / width, top / height, (left + wide) / width, (top + high) / height)
                found.append(Sighting(label, box))
    return found
