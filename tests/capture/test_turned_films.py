"""Films and images that were taken with a phone held upright, and say so."""

from pathlib import Path
from threading import Event
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import ExifTags, Image

from camfleet_capture.alteration import Alteration
from camfleet_capture.errors import SourceUnreadable
from camfleet_capture.sources.image_folder import ImageFolder
from camfleet_capture.sources.live import open_network
from camfleet_capture.sources.video_file import VideoFile
from fakes_http import file_server
from first_pictures import first_picture

WIDTH, HEIGHT = 160, 96


def picture() -> NDArray[np.uint8]:
    """One bright corner, so that every turn looks different."""
    made = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    made[: HEIGHT // 2, : WIDTH // 4] = 220
    return made


def write_film(path: Path, counterclockwise: int) -> Path:
    """Write a film that is to be shown turned by some degrees."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.set_display_rotation(counterclockwise)
        for _ in range(15):
            container.mux(stream.encode(VideoFrame.from_ndarray(picture(), format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_film_is_shown_upright(tmp_path: Path, degrees: int) -> None:
    source = VideoFile(write_film(tmp_path / "film.mp4", degrees), real_time=False)
    expected = np.rot90(picture(), degrees // 90)  # counter-clockwise too
    assert source.details.codec == f"h264 to h264 (rotated {-degrees % 360})"
    assert (source.details.width, source.details.height) == expected.shape[1::-1]
    assert np.abs(first_picture(source).astype(int) - expected).mean() < 5


def test_a_film_of_an_http_server_is_shown_upright(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", -90)
    with file_server(tmp_path) as server:
        source = open_network(f"{server.url}/film.mp4")
        shown = first_picture(source)
    assert source.details.codec == "h264 to h264 (rotated 90)"
    assert (source.details.width, source.details.height) == (HEIGHT, WIDTH)
    assert np.abs(shown.astype(int) - np.rot90(picture(), -1)).mean() < 5


def test_an_upright_film_is_copied(tmp_path: Path) -> None:
    source = VideoFile(write_film(tmp_path / "film.mp4", 0), real_time=False)
    assert source.details.codec == "h264"
    source.close()


def test_what_the_operator_turns_comes_on_top(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", -90)
    source = VideoFile(film, Alteration(quarter_turns=3), real_time=False)
    assert np.abs(first_picture(source).astype(int) - picture()).mean() < 5


def test_a_film_in_place_of_another_is_looked_at_anew(tmp_path: Path) -> None:
    source = VideoFile(write_film(tmp_path / "film.mp4", -90), real_time=False)
    units = source.units(Event())
    next(units)
    write_film(tmp_path / "other.mp4", 0).replace(tmp_path / "film.mp4")
    while source.details.codec != "h264":
        next(units)
    assert (source.details.width, source.details.height) == (WIDTH, HEIGHT)
    source.close()


def test_a_film_without_a_picture_that_can_be_decoded_is_no_other_fault(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", -90)
    spoilt = bytearray(film.read_bytes())
    begin = spoilt.index(b"mdat")
    end = begin + int.from_bytes(spoilt[begin - 4 : begin], "big") - 4
    spoilt[begin + 4 : end] = bytes(end - begin - 4)
    film.write_bytes(spoilt)
    source = VideoFile(film, real_time=False)
    with pytest.raises(SourceUnreadable, match="holds no picture that can be read"):
        next(source.units(Event()))


def test_an_image_of_a_folder_is_shown_upright(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[ExifTags.Base.Orientation] = 6  # to be turned clockwise
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=tag)
    source = ImageFolder(tmp_path, real_time=False)
    assert (source.details.width, source.details.height) == (HEIGHT, WIDTH)
    assert np.abs(first_picture(source).astype(int) - np.rot90(picture(), -1)).mean() < 5
