"""Classifiers: one score per class for the whole frame."""

import logging
from functools import cache

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, parameters_of
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

logger = logging.getLogger(__name__)

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
    if 0 < len(manifest.labels) < score.size:
        _tell_of_missing_labels(manifest.id, len(manifest.labels), score.size)
    if manifest.softmax:
        score = _softmax(score)
    best = np.argsort(-score, kind="stable")[: parameters_of(manifest).get("top", DEFAULT_TOP)]
    best = best[score[best] >= confidence]
    whole = np.tile(np.asarray((0, 0, *resize.input_size), np.float32), (len(best), 1))
    return to_detections(whole, score[best], best, manifest, resize)


@cache  # once a model, not with every frame
def _tell_of_missing_labels(model: str, labels: int, scores: int) -> None:
    logger.warning(
        "too few labels model=%s labels=%s scores=%s next=%s",
        model,
        labels,
        scores,
        "give model.json a label for each score, in their order; a class without one is called by "
        "its number, and if the first is missing all names are shifted",
    )


def _softmax(score: NDArray[np.float32]) -> NDArray[np.float32]:
    raised: NDArray[np.float32] = np.exp(score - score.max())
    raised /= raised.sum()
    return raised
