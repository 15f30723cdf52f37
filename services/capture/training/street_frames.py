"""Frames of the demo street with their boxes, as a camera stream would deliver them.

A third of the frames is left as rendered, the others pass through JPEG of random quality, which
blurs and blocks them much as a fast H.264 encoder does. All are stretched to the size of the model
with one of the filters that a client may use.
"""

from __future__ import annotations

import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from camfleet_capture.demo import StreetScene

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("person", "car", "bicycle")
INPUT_WIDTH, INPUT_HEIGHT = 320, 192
FILM_S = 600.0  # frames are taken from the first minutes of a seed: two days with their dusks
MOST_BOXES = 48


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures of the model's size and their boxes, padded with label -1."""

    images: NDArray[np.uint8]  # (N, H, W, 3) RGB
    boxes: NDArray[np.float32]  # (N, MOST_BOXES, 4) x1 y1 x2 y2 in pixels of the model
    labels: NDArray[np.int64]  # (N, MOST_BOXES)


def shrunk(picture: Image.Image, way: int) -> NDArray[np.uint8]:
    """Stretch to the model's size: 0 by area, 1 smoothly, 2 by the nearest four pixels only."""
    size = (INPUT_WIDTH, INPUT_HEIGHT)
    if way == 2:
        factor = picture.width / size[0], picture.height / size[1]
        data = (factor[0], 0, 0, 0, factor[1], 0)
        return np.asarray(
            picture.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
        )
    return np.asarray(
        picture.resize(size, Image.Resampling.BOX if way == 0 else Image.Resampling.BILINEAR)
    )


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    """What is left of a picture after JPEG."""
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=quality)
    return Image.open(stored).convert("RGB")


def true_boxes(scene: StreetScene, time_s: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Boxes in pixels of the model and label numbers."""
    boxes = np.zeros((MOST_BOXES, 4), np.float32)
    labels = np.full(MOST_BOXES, -1, np.int64)
    for row, item in enumerate(scene.objects(time_s)[-MOST_BOXES:]):
        boxes[row] = np.array(item.box) * (INPUT_WIDTH, INPUT_HEIGHT, INPUT_WIDTH, INPUT_HEIGHT)
        labels[row] = LABELS.index(item.label)
    return boxes, labels


def frames_of_seed(seed: int, count: int, *, plain: bool = False) -> Frames:
    """Frames of one seed at random times; `plain` leaves them uncompressed, shrunk by area."""
    scene = StreetScene(seed)
    chance = np.random.default_rng((seed, count))
    images, boxes, labels = [], [], []
    for time_s in np.sort(chance.uniform(0, FILM_S, count)):
        picture = Image.fromarray(scene.frame(float(time_s)))
        if not plain and chance.random() < 0.67:
            picture = compressed(picture, int(chance.integers(25, 85)))
        images.append(shrunk(picture, 0 if plain else int(chance.integers(3))))
        frame_boxes, frame_labels = true_boxes(scene, float(time_s))
        boxes.append(frame_boxes)
        labels.append(frame_labels)
    return Frames(np.stack(images), np.stack(boxes), np.stack(labels))


def frames_of_seeds(seeds: list[int], per_seed: int, workers: int = 2) -> Frames:
    """Frames of several seeds, rendered side by side."""
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(frames_of_seed, seeds, [per_seed] * len(seeds)))
    return Frames(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
