"""Pictures become what the reference path makes: whole decoding, exact scaling, the formulas."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.inference.preprocessing import to_tensor
from camfleet.inference.served_model import TensorSpec
from camfleet_contracts.model_manifest import Preprocess
from camfleet_contracts.pictures import Size, fit, normalise
from camfleet_server.images.fitting import ManifestFitting, reduction
from camfleet_server.images.header import PictureHeader, read_header
from picture_models import Echo, Pixels, as_bytes, decoded, jpeg, load_echo, png, scene

Resize = Literal["stretch", "letterbox", "letterbox-topleft", "crop"]
RESIZES: tuple[Resize, ...] = ("stretch", "letterbox", "letterbox-topleft", "crop")
SIZE = (96, 64)
PICTURES = {
    "larger": scene(350, 290),
    "smaller": scene(60, 41),
    "wider": scene(300, 33),
    "taller": scene(35, 300),
    "same": scene(*SIZE),
}
REAL = ("dog-bicycle-truck.jpg", "people-group-10.jpeg", "road-cars.jpg", "zebra.jpeg")


def preprocess_of(resize: Resize, **changes: Any) -> Preprocess:
    values: dict[str, Any] = {"colour": "RGB", "mean": (120.0, 115.0, 100.0), "scale": 0.02}
    return Preprocess(resize=resize, **values | changes)


def shares(given: int, wanted: int) -> NDArray[np.float64]:
    """How much of each given pixel goes into each wanted one (wanted, given)."""
    edges = np.arange(wanted + 1) * given / wanted
    cells = np.arange(given)
    overlaps = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    centres = (np.arange(wanted) + 0.5) * given / wanted - 0.5
    tents = 1 - np.abs(np.clip(centres, 0, given - 1)[:, None] - cells)
    weights = np.maximum(0, overlaps if given >= wanted else tents)
    rows: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return rows


def exactly_scaled(pixels: Pixels, size: Size) -> Pixels:
    """Averaged by area where it shrinks, linear between pixels where it grows."""
    rows, columns = shares(pixels.shape[0], size[1]), shares(pixels.shape[1], size[0])
    scaled = np.einsum("ih,jw,hwc->ijc", rows, columns, pixels, optimize=True)
    return np.asarray(scaled.round(), np.uint8)


def reference(pixels: Pixels, preprocess: Preprocess, size: Size) -> NDArray[np.float32]:
    resize = fit(preprocess.resize, (pixels.shape[1], pixels.shape[0]), size)
    placed = resize.place(exactly_scaled(pixels, resize.scaled_size), preprocess.pad)
    ordered = placed[..., ::-1] if preprocess.colour == "RGB" else placed
    tensor: NDArray[np.float32] = normalise(ordered, preprocess, np.dtype(np.float32))
    return tensor[None]


@pytest.fixture(scope="module")
def echo_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Resize], Echo]:
    shape = [1, 3, SIZE[1], SIZE[0]]
    echoes = {
        resize: load_echo(tmp_path_factory.mktemp("echo"), shape, preprocess_of(resize))
        for resize in RESIZES
    }
    return lambda resize: echoes[resize]


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("name", PICTURES)
def test_every_resize_is_within_one_grey_level_of_the_exact_one(
    echo_of: Callable[[Resize], Echo], resize: Resize, name: str
) -> None:
    seen = echo_of(resize).see(as_bytes(png(PICTURES[name])))
    expected = reference(PICTURES[name], preprocess_of(resize), SIZE)
    assert np.abs(seen - expected).max() <= 1.001 * 0.02  # one level times the scale


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("name", REAL)
def test_real_pictures_are_within_one_grey_level_of_the_exact_ones(
    echo_of: Callable[[Resize], Echo], shared_data: Path, resize: Resize, name: str
) -> None:
    content = (shared_data / "media" / "images" / name).read_bytes()
    whole = decoded(content)
    fitting = ManifestFitting("image", preprocess_of(resize), SIZE, 10**8)
    seen = echo_of(resize).see(whole[None])
    assert np.abs(seen - reference(whole, preprocess_of(resize), SIZE)).max() <= 1.001 * 0.02
    reduced = fitting.fit(fitting.decode(content, read_header(content, "image")))
    assert np.abs(reduced.astype(int) - fitting.fit(whole)).mean() <= 1.0


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("name", REAL)
def test_a_camera_service_prepares_the_same_tensor(
    echo_of: Callable[[Resize], Echo], shared_data: Path, resize: Resize, name: str
) -> None:
    whole = decoded((shared_data / "media" / "images" / name).read_bytes())
    frame = av.VideoFrame.from_ndarray(whole, format="bgr24")
    spec = TensorSpec("image", "FP32", (1, 3, SIZE[1], SIZE[0]))
    prepared, _ = to_tensor(frame, preprocess_of(resize), spec, SIZE)
    assert np.abs(echo_of(resize).see(whole) - prepared).mean() <= 0.5 * 0.02


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize(
    ("divisor", "size"),
    [(2, (192, 144)), (2, (128, 96)), (2, (101, 76)), (4, (40, 30)), (4, (96, 72)), (8, (24, 18))],
    ids=["2 twice", "2 thrice", "2 and a bit", "4 four times", "4 twice", "8 four times"],
)
def test_decoding_at_a_fraction_stays_within_one_grey_level_in_the_mean(
    divisor: int, size: Size, resize: Resize
) -> None:
    content = jpeg(cv2.resize(scene(192, 144), (768, 576), interpolation=cv2.INTER_CUBIC))
    header = read_header(content, "image")
    fitting = ManifestFitting("image", preprocess_of(resize), size, 10**8)
    assert reduction(header, resize, size) == divisor
    reduced = fitting.fit(fitting.decode(content, header)).astype(int)
    assert np.abs(reduced - fitting.fit(decoded(content))).mean() <= 1.0


@pytest.mark.parametrize(
    ("header", "size", "divisor"),
    [
        (PictureHeader("JPEG", 1280, 720), (320, 320), 2),
        (PictureHeader("JPEG", 1280, 720), (416, 416), 1),
        (PictureHeader("JPEG", 1920, 1080), (300, 300), 2),
        (PictureHeader("JPEG", 3840, 2160), (416, 416), 2),
        (PictureHeader("JPEG", 4000, 3000), (128, 128), 4),
        (PictureHeader("JPEG", 4000, 3000), (96, 96), 8),
        (PictureHeader("JPEG", 640, 3200), (160, 100), 8),
        (PictureHeader("JPEG", 640, 3200, has_tags=True), (160, 100), 4),
        (PictureHeader("JPEG", 4001, 3001), (96, 96), 1),
        (PictureHeader("PNG", 4000, 3000), (96, 96), 1),
    ],
    ids=[
        "twice",
        "less",
        "thrice",
        "4K",
        "phone",
        "thumbnail",
        "upright",
        "perhaps on its side",
        "odd",
        "png",
    ],
)
def test_a_fraction_is_decoded_only_where_much_is_averaged_away(
    header: PictureHeader, size: Size, divisor: int
) -> None:
    assert reduction(header, "letterbox", size) == divisor


@pytest.mark.parametrize(
    ("kind", "mean", "scale"),
    [(np.float16, 120.0, 0.02), (np.uint8, 0.0, 0.5), (np.int8, 128.0, 1.0), (np.uint8, 0.0, 1.0)],
    ids=["half", "uint8 scaled", "int8", "uint8 plain"],
)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_other_types_and_layouts_get_what_the_formulas_say(
    tmp_path: Path, kind: type, mean: float, scale: float, layout: Literal["NCHW", "NHWC"]
) -> None:
    preprocess = Preprocess(colour="RGB", mean=(mean,), scale=scale, layout=layout)
    shape = {"NCHW": [1, 3, 64, 96], "NHWC": [1, 64, 96, 3]}[layout]
    picture = scene(96, 64)
    seen = load_echo(tmp_path, shape, preprocess, kind).see(as_bytes(png(picture)))
    expected = normalise(picture[..., ::-1], preprocess, np.dtype(kind)).astype(np.float32)
    np.testing.assert_allclose(seen[0], expected, atol=0.002)


def test_gray_models_get_gray_from_colours_and_from_gray(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 1, 64, 96], Preprocess(colour="GRAY"))
    gray = cv2.cvtColor(scene(96, 64), cv2.COLOR_BGR2GRAY)
    for sent in (as_bytes(png(scene(96, 64))), as_bytes(png(gray)), scene(96, 64), gray[..., None]):
        np.testing.assert_array_equal(echo.see(sent)[0, 0], gray)
