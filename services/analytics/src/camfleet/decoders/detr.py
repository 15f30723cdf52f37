"""DETR and those after it (RT-DETR, D-FINE, RF-DETR): a box and class logits for each query."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, logistic
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

RANK, BOX = 3, 4


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - the model gives one query an object
) -> Detections:
    """Reads boxes [1, N, 4], centre and size as shares of the input, and logits [1, N, C].

    A score is the logistic function of its logit, or with `softmax` in the manifest (the first
    DETR) its share among all C. What is behind the labels, as "no object", is no class.
    """
    boxes, logits = _tensors(outputs, manifest)
    classes = len(manifest.labels) or logits.shape[1]
    class_id = logits[:, :classes].argmax(axis=1)
    best = logits[np.arange(len(logits)), class_id]
    score = np.exp(best - _log_of_sum(logits)) if manifest.softmax else logistic(best)
    chosen = np.flatnonzero(score >= confidence)
    picked = boxes[chosen] * np.asarray(resize.input_size * 2, np.float32)
    centre, half = picked[:, :2], picked[:, 2:] / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1)
    return to_detections(xyxy, score[chosen], class_id[chosen], manifest, resize)


def _log_of_sum(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    highest = logits.max(axis=1)
    result: NDArray[np.float32] = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return result


def _tensors(
    outputs: Tensors, manifest: ModelManifest
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (N, 4) and logits (N, C), told apart by shape, else by name."""
    tables = [name for name, tensor in outputs.items() if tensor.ndim == RANK]
    boxes = _only([name for name in tables if outputs[name].shape[2] == BOX], ("box", "dets"))
    others = [name for name in tables if name not in boxes]
    logits = _only(others, ("logit", "label", "score", "class"))
    fits = len(boxes) == len(logits) == 1
    if not fits or outputs[boxes[0]].shape[1] != outputs[logits[0]].shape[1]:
        expected = "boxes [1, N, 4] and logits [1, N, classes]"
        raise UnexpectedOutputs(manifest, expected, outputs)
    return as_floats(outputs, boxes[0], manifest), as_floats(outputs, logits[0], manifest)


def _only(names: Sequence[str], words: tuple[str, ...]) -> list[str]:
    """The names; where there are several, those with one of the words in them."""
    if len(names) > 1:
        return [name for name in names if any(word in name.lower() for word in words)]
    return list(names)
