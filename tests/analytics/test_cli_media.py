"""Pictures and films as `camfleet infer` reads them."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import ExifTags, Image

from camfleet.cli.media import read_frames

LYING = np.full((96, 160, 3), 30, np.uint8)
LYING[:48, :40] = 220  # one bright corner
UPRIGHT = np.rot90(LYING, -1)  # clockwise


def write_picture(path: Path) -> None:
    tag = Image.Exif()
    tag[ExifTags.Base.Orientation] = 6
    Image.fromarray(LYING).save(path, exif=tag)


def write_film(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.set_display_rotation(-90)
        for _ in range(3):
            container.mux(stream.encode(VideoFrame.from_ndarray(LYING, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(("name", "write"), [("a.jpg", write_picture), ("a.mp4", write_film)])
def test_what_a_phone_took_upright_is_read_upright(tmp_path: Path, name: str, write: Any) -> None:
    write(tmp_path / name)
    frames = [frame.picture for frame in read_frames(tmp_path / name)]
    for frame in frames:
        pixels = frame.to_ndarray(format="rgb24").astype(int)
        assert pixels.shape == UPRIGHT.shape
        assert np.abs(pixels - UPRIGHT).mean() < 5
    assert len(frames) == (1 if name == "a.jpg" else 3)
