"""Poses from heat maps: the place of each key point of one person is where its map is highest."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.outputs import Tensors, UnexpectedOutputs, as_floats, parameters_of
from camfleet.decoders.suppression import to_detections
from camfleet.detections import Detections, no_detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

RANK = 4
DEFAULT_KEY_POINTS = 17
SURE = 0.2  # key points below it do not shape the person's box
STEP = 0.25  # of a cell, towards the higher neighbour


def decode(
    outputs: Tensors,
    manifest: ModelManifest,
    resize: Resize,
    confidence: float,
    iou: float,  # noqa: ARG001 - there is only one person
) -> Detections:
    """Reads heat maps [1, K, h, w] or [1, h, w, K] with `parameters.key_points` (17) maps.

    One person whose confidence is the mean of the highest values. The highest cell is moved by a
    quarter towards its higher neighbour in each direction, as is usual for such models.
    """
    maps = _maps(outputs, manifest)
    count, rows, columns = maps.shape
    best = maps.reshape(count, -1).argmax(axis=1)
    y, x = np.divmod(best, columns)
    score = maps[np.arange(count), y, x]
    mean = score.mean(keepdims=True)
    sure = score >= SURE
    if mean[0] < confidence or not sure.any():
        return no_detections()
    refined = np.stack([x + _lean(maps, y, x, 1), y + _lean(maps, y, x, 0)], axis=1) + 0.5
    xy = refined * (np.asarray(resize.input_size, np.float32) / (columns, rows))
    xyxy = np.concatenate([xy[sure].min(axis=0), xy[sure].max(axis=0)])[None].astype(np.float32)
    person = to_detections(xyxy, mean, np.zeros(1, np.int64), manifest, resize)
    located = resize.points_to_frame(xy.astype(np.float32))
    return replace(person, key_points=np.concatenate([located, score[:, None]], axis=1)[None])


def _maps(outputs: Tensors, manifest: ModelManifest) -> NDArray[np.float32]:
    """The heat maps as (K, h, w)."""
    count = int(parameters_of(manifest).get("key_points", DEFAULT_KEY_POINTS))
    for name, tensor in outputs.items():
        if tensor.ndim == RANK and count in {tensor.shape[1], tensor.shape[3]}:
            maps = as_floats(outputs, name, manifest)
            return maps if tensor.shape[1] == count else maps.transpose(2, 0, 1)
    raise UnexpectedOutputs(manifest, f"heat maps [1, {count}, h, w]", outputs)


def _lean(
    maps: NDArray[np.float32], y: NDArray[np.int64], x: NDArray[np.int64], axis: int
) -> NDArray[np.float32]:
    """A quarter of a cell towards the higher neighbour; nothing at the edges of the map."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), mode="edge")
    index, step = np.arange(len(maps)), np.array([1 - axis, axis])
    after = padded[index, y + 1 + step[0], x + 1 + step[1]]
    before = padded[index, y + 1 - step[0], x + 1 - step[1]]
    at_edge = (x == 0) | (x == maps.shape[2] - 1) if axis else (y == 0) | (y == maps.shape[1] - 1)
    lean: NDArray[np.float32] = np.where(at_edge, 0, np.sign(after - before) * STEP)
    return lean.astype(np.float32)
