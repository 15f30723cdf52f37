"""Embeddings: one vector that is near to the vectors of pictures of the same thing."""

import numpy as np

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

SMALLEST_NORM = 1e-12


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,  # noqa: ARG001 - a vector is no guess
    iou: float,  # noqa: ARG001 - nothing overlaps
) -> Detections:
    """Reads one output [1, ..., D]; one row for the whole frame with its vector of length 1.

    The cosine of two vectors is then their scalar product.
    """
    name = next(iter(outputs), "")
    if len(outputs) != 1 or outputs[name].size != outputs[name].shape[-1]:
        raise UnexpectedOutputs(manifest, "one output [1, ..., D]", outputs)
    vector = as_floats(outputs, name, manifest).ravel()
    vector = vector / np.float32(max(float(np.linalg.norm(vector)), SMALLEST_NORM))
    return Detections(
        xyxy=np.array([[0, 0, *resize.frame_size]], np.float32),
        confidence=np.ones(1, np.float32),
        class_id=np.zeros(1, np.int64),
        labels=(manifest.labels[0] if manifest.labels else "embedding",),
        embeddings=vector[None],
    )
