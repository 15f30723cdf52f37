"""UltraFace: face scores and boxes, ready (ONNX) or relative to priors (Caffe, TFLite)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import (
    Tensors,
    UnexpectedOutputs,
    as_floats,
    find_by_last_axis,
    parameters_of,
)
from camfleet.decoders.suppression import suppress, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

STRIDES = (8, 16, 32, 64)
PRIOR_SIZES = ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))  # pixels, per stride
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
FACE = 1  # class 0 is the background


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads scores [1, N, 2] and boxes [1, N, 4]; `parameters.encoded: true` for prior boxes."""
    scores, boxes = find_by_last_axis(outputs, 2), find_by_last_axis(outputs, 4)
    if scores is None or boxes is None:
        raise UnexpectedOutputs(manifest, "outputs [1, N, 2] and [1, N, 4]", outputs)
    score = as_floats(outputs, scores, manifest)[:, FACE]
    chosen = np.flatnonzero(score >= confidence)
    relative = as_floats(outputs, boxes, manifest)[chosen]
    if parameters_of(manifest).get("encoded", False):
        relative = _decode_against(_priors(resize.input_size)[chosen], relative)
    xyxy = relative * np.asarray(resize.input_size * 2, np.float32)
    kept = suppress(xyxy, score[chosen], iou)
    class_id = np.full(len(kept), _face_class(manifest), np.int64)
    return to_detections(xyxy[kept], score[chosen][kept], class_id, manifest, resize)


def _face_class(manifest: ModelManifest) -> int:
    """Labels may be given with the background or without it."""
    return FACE if len(manifest.labels) > 1 else 0


def _decode_against(
    priors: NDArray[np.float32], encoded: NDArray[np.float32]
) -> NDArray[np.float32]:
    centre = encoded[:, :2] * CENTRE_VARIANCE * priors[:, 2:] + priors[:, :2]
    size = np.exp(encoded[:, 2:] * SIZE_VARIANCE) * priors[:, 2:]
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


@lru_cache(maxsize=4)
def _priors(input_size: tuple[int, int]) -> NDArray[np.float32]:
    """Prior boxes (N, 4) as centre x, centre y, width, height, relative to the input."""
    width, height = input_size
    rows = []
    for stride, sizes in zip(STRIDES, PRIOR_SIZES, strict=True):
        for y in range(-(-height // stride)):
            for x in range(-(-width // stride)):
                centre = ((x + 0.5) * stride / width, (y + 0.5) * stride / height)
                rows.extend([(*centre, size / width, size / height) for size in sizes])
    return np.clip(np.array(rows, dtype=np.float32), 0, 1)
