"""Films that stand for cameras: 1280x720, 15 pictures a second, as cameras code them.

They are made when they are needed: from a real clip of the shared data, else from the demo scene.
"""

import os
from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from camfleet_capture.demo import StreetScene

SIZE, RATE = (1280, 720), 15
SENSOR_NOISE = 2.0  # grey levels, so that a picture that stands still still has to be coded
_SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
SHARED = Path(os.environ.get("CAMFLEET_DATA", _SHARED))  # noqa: TID251 - as in tests/conftest.py
CLIP = SHARED / "media" / "clips" / "crossing-a-1280x720.mp4"
Picture = NDArray[np.uint8]


def is_real() -> bool:
    """True where the shared clip is there."""
    return CLIP.is_file()


def write_moving(path: Path, seconds: float = 15.0) -> Path:
    """Something moves all the time."""
    return _write(path, islice(_pictures(), round(seconds * RATE)))


def write_mostly_still(path: Path, *, moves_s: float = 4.5, rests_s: float = 10.5) -> Path:
    """It moves for 30 % of the time; then everything stays where it is, under sensor noise."""
    moving = list(islice(_pictures(), round(moves_s * RATE)))
    chance = np.random.default_rng(7)
    resting = (_noisy(moving[-1], chance) for _ in repeat(None, round(rests_s * RATE)))
    return _write(path, chain((_noisy(one, chance) for one in moving), resting))


def _pictures() -> Iterator[Picture]:
    return _of_clip() if is_real() else _of_scene()


def _of_clip() -> Iterator[Picture]:
    """Every second picture of the clip, which has 30 a second."""
    while True:
        with av.open(str(CLIP)) as container:
            for frame in islice(container.decode(video=0), 0, None, 2):
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _of_scene() -> Iterator[Picture]:
    scene, number = StreetScene(7), 0
    while True:
        yield np.asarray(cv2.resize(scene.frame(number / RATE), SIZE), np.uint8)
        number += 1


def _noisy(picture: Picture, chance: np.random.Generator) -> Picture:
    noise = chance.normal(0, SENSOR_NOISE, picture.shape[:2])[:, :, None]
    return (picture + noise).clip(0, 255).astype(np.uint8)


def _write(path: Path, pictures: Iterator[Picture]) -> Path:
    """Main profile without B pictures, a key picture every two seconds, 2 Mbit/s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", 2_000_000, 2 * RATE
        stream.options = {"preset": "veryfast", "profile": "main", "bf": "0"}
        for picture in pictures:
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
