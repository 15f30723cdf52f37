"""YuNet: faces with five landmarks from three grids, four outputs each."""

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, parameters_of
from camfleet.decoders.suppression import suppress, to_detections
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

DEFAULT_STRIDES = (8, 16, 32)
LANDMARKS = 5


def decode(
    outputs: Tensors, manifest: ModelManifest, resize: Resize, confidence: float, iou: float
) -> Detections:
    """Reads cls_S, obj_S [1, n, 1], bbox_S [1, n, 4] and kps_S [1, n, 10] for each stride S."""
    strides = tuple(parameters_of(manifest).get("strides", DEFAULT_STRIDES))
    names = {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in strides}
    if not names <= outputs.keys():
        raise UnexpectedOutputs(manifest, f"the outputs {', '.join(sorted(names))}", outputs)
    grids = [
        _faces_of_grid(outputs, manifest, resize.input_size[0], s, confidence) for s in strides
    ]
    score = np.concatenate([grid[0] for grid in grids])
    xyxy = np.concatenate([grid[1] for grid in grids])
    points = np.concatenate([grid[2] for grid in grids])
    kept = suppress(xyxy, score, iou)
    faces = to_detections(xyxy[kept], score[kept], np.zeros(len(kept), np.int64), manifest, resize)
    return _with_landmarks(faces, points[kept], resize)


def _faces_of_grid(
    outputs: Tensors, manifest: ModelManifest, width: int, stride: int, confidence: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    classes = as_floats(outputs, f"cls_{stride}", manifest)[:, 0]
    objects = as_floats(outputs, f"obj_{stride}", manifest)[:, 0]
    score = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))
    chosen = np.flatnonzero(score >= confidence)
    columns = width // stride
    corner = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float32)
    box = as_floats(outputs, f"bbox_{stride}", manifest)[chosen]
    centre, size = (corner + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
    points = as_floats(outputs, f"kps_{stride}", manifest)[chosen].reshape(-1, LANDMARKS, 2)
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    return score[chosen], xyxy, (points + corner[:, None]) * stride


def _with_landmarks(faces: Detections, points: NDArray[np.float32], resize: Resize) -> Detections:
    certain = np.broadcast_to(faces.confidence[:, None, None], (len(faces), LANDMARKS, 1))
    landmarks = np.concatenate([resize.points_to_frame(points), certain], axis=2)
    return Detections(
        faces.xyxy, faces.confidence, faces.class_id, faces.labels, key_points=landmarks
    )
