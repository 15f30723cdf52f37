"""Pictures that are refused, or wait: what is wrong with them, and the memory they take."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.model_manifest import Preprocess
from camfleet_server.bytes_in_hand import BytesInHand
from camfleet_server.errors import InvalidInput, ServerBusy
from camfleet_server.images.reader import PictureReader
from picture_models import Echo, as_bytes, decoded, jpeg, load_echo, png, png_claiming, scene

PICTURE = scene(96, 64)
BGR = Preprocess(colour="BGR")
JPEG = jpeg(scene(200, 100))


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    """FP32 [1, 3, 64, 96] with `preprocess`."""
    return load_echo(tmp_path_factory.mktemp("echo"), [1, 3, 64, 96], BGR)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (as_bytes(b""), "Image parsing failed - the picture has no bytes"),
        (as_bytes(b"no picture"), "Image parsing failed - only JPEG and PNG are taken"),
        (as_bytes(JPEG[:-300]), "Image parsing failed - the JPEG of 200x100 pixels is cut off"),
        (as_bytes(png(PICTURE)[:-300]), "Image parsing failed - the PNG of 96x64 pixels is cut"),
        (as_bytes(png_claiming(50_000, 40_000)), "50000x40000 pixels are more than the 64000000"),
        (as_bytes(png_claiming(7_000, 7_000)), "Image parsing failed - the PNG of 7000x7000"),
        (as_bytes(JPEG, JPEG), "Invalid input batch size - Expected: 1; Actual: 2"),
        (as_bytes(), "Invalid input batch size - Expected: 1; Actual: 0"),
        (np.stack([PICTURE, PICTURE]), "Invalid input batch size - Expected: 1; Actual: 2"),
        (PICTURE[..., :1], "Invalid number of channels in binary input - Expected: 3; Actual: 1"),
        (np.dstack([PICTURE, PICTURE[..., 0]]), "Expected: 3; Actual: 4"),
        (PICTURE[:, :0], r"Image parsing failed - the picture has the shape \[64, 0, 3\]"),
    ],
    ids=[
        "empty",
        "text",
        "cut jpeg",
        "cut png",
        "bomb",
        "damaged",
        "two",
        "none",
        "two of pixels",
        "gray pixels",
        "alpha pixels",
        "no pixels",
    ],
)
def test_bad_pictures_are_refused_with_what_is_wrong(
    echo: Echo, image: NDArray[Any], text: str
) -> None:
    with pytest.raises(InvalidInput, match=text) as refused:
        echo.see(image)
    assert str(refused.value).endswith("input name: image")


@pytest.mark.parametrize(
    "image",
    [np.full((1, 60_000, 3), 7, np.uint8), as_bytes(png(np.full((60_000, 1, 3), 7, np.uint8)))],
    ids=["pixels", "file"],
)
def test_cropping_a_line_to_a_square_makes_the_visible_part_alone(
    tmp_path: Path, image: NDArray[Any]
) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 64], Preprocess(resize="crop"))
    tracemalloc.start()
    seen = echo.see(image)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (seen.shape, seen.min(), seen.max()) == ((1, 3, 64, 64), 7, 7)
    assert peak_bytes < 8 << 20


def test_a_file_that_grows_with_the_input_is_refused_before_it_fills_the_memory(
    tmp_path: Path,
) -> None:
    echo = load_echo(tmp_path, [1, -1, 1024, 3])
    echo.reader = PictureReader(max_pixels=60_000)
    with pytest.raises(InvalidInput, match="1 pictures of the size of the input are more than"):
        echo.see(as_bytes(png_claiming(1, 60_000)))


@pytest.mark.parametrize(
    "image",
    [np.zeros((5, 1, 1, 3), np.uint8), as_bytes(*[png(PICTURE)] * 5)],
    ids=["pixels", "files"],
)
def test_many_small_pictures_are_refused_before_they_fill_the_memory(
    tmp_path: Path, image: NDArray[Any]
) -> None:
    echo = load_echo(tmp_path, [-1, 3, 64, 96], BGR)
    echo.reader = PictureReader(max_pixels=4 * 64 * 96)
    assert echo.see(image[:4]).shape == (4, 3, 64, 96)
    with pytest.raises(InvalidInput, match="5 pictures of the size of the input are more than"):
        echo.see(image)


def test_pictures_that_wait_for_their_inference_are_bounded_together(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [-1, 3, 64, 96], BGR)
    echo.reader.made = BytesInHand("of pictures", 1 << 20)
    many = {"image": as_bytes(*[png(PICTURE)] * 40)}  # 0.7 MB of pixels
    _, waiting = echo.entrances.enter(many, echo.reader)
    with pytest.raises(ServerBusy, match="0 MiB of pictures are in hand; try again"):
        echo.entrances.enter(many, echo.reader)
    waiting.clear()
    assert echo.see(many["image"]).shape == (40, 3, 64, 96)


def test_pictures_that_together_are_too_many_pixels_wait_for_each_other() -> None:
    fitting, reader = HeldFitting(), PictureReader(max_pixels=96 * 64 + 1)
    content = png(PICTURE)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader.read, [content], "image", fitting)
        assert fitting.inside.acquire(timeout=30)
        second = pool.submit(reader.read, [content], "image", fitting)
        assert not fitting.inside.acquire(timeout=0.05)
        fitting.may_end.set()
        assert first.result(60).shape == second.result(60).shape


def test_pixels_that_together_become_too_many_wait_for_each_other() -> None:
    fitting, reader = HeldFitting(), PictureReader(max_pixels=96 * 64 + 1)
    fitting.fitted_size = (96, 64)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader.fit, np.zeros((1, 1, 1, 3), np.uint8), "image", fitting)
        assert fitting.inside.acquire(timeout=30)
        second = pool.submit(reader.fit, np.zeros((1, 1, 1, 3), np.uint8), "image", fitting)
        assert not fitting.inside.acquire(timeout=0.05)
        fitting.may_end.set()
        assert first.result(60).shape == second.result(60).shape


class HeldFitting:
    """Holds pictures until it is told to let them go."""

    def __init__(self) -> None:
        self.inside, self.may_end = threading.Semaphore(0), threading.Event()
        self.fitted_size: tuple[int, int] = (1, 1)

    def decode(self, content: bytes, header: object) -> NDArray[np.uint8]:
        assert header
        return decoded(content)

    def fit(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.inside.release()
        assert self.may_end.wait(60)
        return pixels

    def sizes(self, frame: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        return frame, self.fitted_size
