"""Films as cameras code them, made on the spot: their decoding is what is measured."""

import io
from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

RATE = 15
_PICTURES = 45
_SEED = 7


@dataclass(frozen=True, slots=True)
class Film:
    """Three seconds of H.264: Main profile, no B pictures."""

    name: str
    width: int
    height: int
    content: bytes


def make_film(name: str, width: int, height: int, bits_per_s: int) -> Film:
    """A textured scene under sensor noise with things that move, at the bit rate of a camera."""
    chance, file = np.random.default_rng(_SEED), io.BytesIO()
    scene = _texture(chance, width, height)
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.gop_size = bits_per_s, 2 * RATE
        stream.options = {"preset": "veryfast", "profile": "main", "bf": "0", "threads": "1"}
        for number in range(_PICTURES):
            picture = _with_movement(scene, number, chance)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))
    return Film(name, width, height, file.getvalue())


def _texture(chance: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Coarse shapes under fine ones, as walls, streets and trees have them."""
    coarse = cv2.resize(chance.uniform(40, 200, (9, 16, 3)).astype(np.float32), (width, height))
    fine = cv2.resize(chance.normal(0, 18, (height // 4, width // 4, 3)), (width, height))
    return np.asarray((coarse + fine).clip(0, 255), np.uint8)


def _with_movement(
    scene: NDArray[np.uint8], number: int, chance: np.random.Generator
) -> NDArray[np.uint8]:
    height, width = scene.shape[:2]
    picture = scene.copy()
    box_height, box_width = height // 5, width // 10
    for lane in range(4):
        left = (number * width // 60 + lane * width // 4) % (width - box_width)
        top = lane * height // 4
        patch = scene[height - box_height :, width - box_width :]
        picture[top : top + box_height, left : left + box_width] = 255 - patch
    noise = chance.integers(-4, 5, (height, width, 1), dtype=np.int16)
    return (picture + noise).clip(0, 255).astype(np.uint8)
