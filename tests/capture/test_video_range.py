"""JPEG's brightness reaches from 0 to 255, that of video from 16 to 235: it stays what it was."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from camfleet_capture.alteration import Alteration
from camfleet_capture.sources.image_folder import ImageFolder
from camfleet_capture.sources.video_file import VideoFile
from first_pictures import first_picture

GREYS = np.repeat(np.linspace(8, 248, 16).astype(np.uint8), 10)  # dark to bright, by steps
PICTURE: NDArray[np.uint8] = np.repeat(np.tile(GREYS, (96, 1))[:, :, None], 3, axis=2)


def write_film(path: Path, codec: str) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=15)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuvj420p"
        stream.codec_context.color_range = 2
        for _ in range(15):
            frame = VideoFrame.from_ndarray(PICTURE, format="rgb24")
            full = frame.reformat(format="yuvj420p", dst_color_range="JPEG")
            container.mux(stream.encode(full))
        container.mux(stream.encode(None))
    return path


def difference(seen: NDArray[np.uint8]) -> float:
    return float(np.abs(seen.astype(int) - PICTURE).mean())


def test_images_of_a_folder_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", quality=95)
    assert difference(first_picture(ImageFolder(tmp_path, real_time=False))) < 3


@pytest.mark.parametrize("codec", ["mjpeg", "libx264"])
@pytest.mark.parametrize(
    "polygons", [(), (((0.0, 0.0), (0.001, 0.0), (0.0, 0.001)),)], ids=["turned", "masked"]
)
def test_a_film_that_is_encoded_keeps_its_brightness(
    tmp_path: Path, codec: str, polygons: Any
) -> None:
    film = write_film(tmp_path / "film.mkv", codec)
    turns = 0 if polygons else 2
    seen = first_picture(VideoFile(film, Alteration(turns, polygons), real_time=False))
    assert difference(seen[::-1, ::-1] if turns else seen) < 3
