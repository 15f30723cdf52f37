"""Classifiers: one score per class for the whole frame."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, parameters_of
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

DEFAULT_TOP = 5


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - nothing overlaps
) -> Detections:
    """The best classes, each with the whole frame as its box; reads `parameters.top`."""
    name = next(iter(outputs), "")
    if not name or outputs[name].size < len(manifest.labels):
        raise UnexpectedOutputs(manifest, f"{len(manifest.labels)} scores", outputs)
    score = as_floats(outputs, name, manifest).ravel()
    if manifest.softmax:
        score = _softmax(score)
    best = np.argsort(-score, kind="stable")[: parameters_of(manifest).get("top", DEFAULT_TOP)]
    best = best[score[best] >= confidence]
    whole = np.tile(np.asarray((0, 0, *resize.input_size), np.float32), (len(best), 1))
    return to_detections(whole, score[best], best, manifest, resize)


def _softmax(score: NDArray[np.float32]) -> NDArray[np.float32]:
    raised: NDArray[np.float32] = np.exp(score - score.max())
    raised /= raised.sum()
    return raised
