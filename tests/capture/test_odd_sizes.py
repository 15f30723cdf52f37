"""Pictures of sizes that H.264 4:2:0 has not."""

from pathlib import Path
from threading import Event

import pytest
from PIL import Image

from camfleet_capture.codecs.syntax import picture_size
from camfleet_capture.sources.table import SourceAddress, open_source
from fakes_capture import write_clip

SIZES = [
    pytest.param((1, 1), (2, 2), id="a single pixel"),
    pytest.param((1, 9), (2, 8), id="a column"),
    pytest.param((321, 65), (320, 64), id="odd"),
]


def sent_size(source: Path) -> tuple[int, int] | None:
    opened = open_source(SourceAddress(str(source), source.parent))
    unit = next(opened.units(Event()))
    opened.close()
    return picture_size(unit)


@pytest.mark.parametrize(("size", "sent"), SIZES)
def test_films_of_any_size_are_sent_in_the_nearest_even_one(
    tmp_path: Path, size: tuple[int, int], sent: tuple[int, int]
) -> None:
    film = write_clip(tmp_path / "film.mov", codec="png", pix_fmt="rgb24", size=size, pictures=3)
    assert sent_size(film) == sent


@pytest.mark.parametrize(("size", "sent"), SIZES)
def test_images_of_any_size_are_sent_in_the_nearest_even_one(
    tmp_path: Path, size: tuple[int, int], sent: tuple[int, int]
) -> None:
    Image.new("RGB", size).save(tmp_path / "one.png")
    assert sent_size(tmp_path) == sent
