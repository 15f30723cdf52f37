"""Semantic segmentation: the class of every cell of the frame."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.masks import boxes_of, over_frame
from camfleet.decoders.outputs import (
    Tensors,
    UnexpectedOutputs,
    as_floats,
    label_of,
    parameters_of,
)
from camfleet.detections import Detections, no_detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

CLASS_MAP_RANK, SCORES_RANK = 3, 4


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - every cell has one class
) -> Detections:
    """Reads classes [1, h, w] or scores [1, C, h, w] or [1, h, w, C]; one row per class seen.

    The mask of a class covers the frame; its box is the one around the mask, its confidence the
    mean of its cells (1 where the model gives classes and no scores). `parameters.background`
    (0) is the class that is not reported; `softmax` in the manifest turns logits into scores.
    """
    classes, scores = _cells(outputs, manifest)
    background = int(parameters_of(manifest).get("background", 0))
    class_map = over_frame(classes, resize, background)
    score_map = over_frame(scores, resize, 0.0)
    found = np.unique(class_map)
    found = found[found != background]
    masks = class_map[None] == found[:, None, None]
    mean = np.array([score_map[mask].mean() for mask in masks], np.float32)
    sure = mean >= confidence
    if not sure.any():
        return no_detections()
    return Detections(
        xyxy=boxes_of(masks[sure], resize.frame_size),
        confidence=mean[sure],
        class_id=found[sure].astype(np.int64),
        labels=tuple(label_of(manifest, int(index)) for index in found[sure]),
        masks=masks[sure],
    )


def _cells(
    outputs: Tensors, manifest: ModelManifest
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The class and the score of each cell, both (h, w)."""
    name = next(iter(outputs), "")
    tensor = outputs.get(name, np.empty(0))
    if tensor.ndim == SCORES_RANK and 1 in {tensor.shape[1], tensor.shape[3]}:
        tensor = tensor.reshape(1, *(side for side in tensor.shape[1:] if side != 1))
    if tensor.ndim == CLASS_MAP_RANK:
        return tensor[0].astype(np.int64), np.ones(tensor.shape[1:], np.float32)
    count = len(manifest.labels)
    if tensor.ndim != SCORES_RANK or count not in {tensor.shape[1], tensor.shape[3]}:
        expected = f"classes [1, h, w] or scores [1, {count}, h, w] ({count} labels)"
        raise UnexpectedOutputs(manifest, expected, outputs)
    scores = as_floats(outputs, name, manifest)
    if tensor.shape[1] != count:
        scores = scores.transpose(2, 0, 1)
    if manifest.softmax:
        scores = np.exp(scores - scores.max(axis=0))
        scores = scores / scores.sum(axis=0)
    return scores.argmax(axis=0), scores.max(axis=0)
