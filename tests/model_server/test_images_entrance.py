"""Two entrances on one input: what is a picture, what is a tensor, and what is refused."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from camfleet_contracts.model_manifest import Preprocess
from camfleet_server.errors import InferenceFailed
from camfleet_server.images.reader import PictureReader
from camfleet_server.input_errors import WrongDatatype
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.validation import fit_inputs
from picture_models import (
    Echo,
    as_bytes,
    decoded,
    jpeg,
    load_echo,
    png,
    scene,
    turned,
)

PICTURE = scene(96, 64)
BGR = Preprocess(colour="BGR")
JPEG = jpeg(scene(200, 100))


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    """FP32 [1, 3, 64, 96] with `preprocess`."""
    return load_echo(tmp_path_factory.mktemp("echo"), [1, 3, 64, 96], BGR)


def test_the_file_s_own_tensor_goes_in_as_it_is(echo: Echo) -> None:
    own = np.linspace(-3, 3, 3 * 64 * 96, dtype=np.float32).reshape(1, 3, 64, 96)
    np.testing.assert_array_equal(echo.see(own), own)


@pytest.mark.parametrize(
    "image",
    [as_bytes(png(PICTURE)), as_bytes(png(PICTURE)).reshape(()), PICTURE, PICTURE[None]],
    ids=["list of one", "one alone", "pixels", "batch of pixels"],
)
def test_pictures_go_in_beside_it(echo: Echo, image: NDArray[Any]) -> None:
    np.testing.assert_array_equal(echo.see_pixels(image), PICTURE)


def test_pixels_of_any_size_are_fitted(echo: Echo) -> None:
    assert echo.see(scene(31, 57)).shape == (1, 3, 64, 96)


def test_a_uint8_tensor_of_the_own_shape_is_the_own_tensor_and_others_are_pictures(
    tmp_path: Path,
) -> None:
    preprocess = Preprocess(colour="RGB", layout="NHWC", mean=(0.0,), scale=2.0)
    echo = load_echo(tmp_path, [1, 64, 96, 3], preprocess, np.uint8)
    dark = PICTURE // 4
    np.testing.assert_array_equal(echo.see(dark[None])[0], dark)
    np.testing.assert_array_equal(echo.see(dark)[0], dark[..., ::-1] * 2)
    np.testing.assert_array_equal(echo.see(as_bytes(png(dark)))[0], dark[..., ::-1] * 2)


def test_an_open_batch_takes_as_many_pictures_as_are_sent(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [-1, 3, 64, 96], BGR)
    three = as_bytes(png(PICTURE), jpeg(scene(300, 200)), png(PICTURE))
    seen = echo.see(three)
    assert seen.shape == (3, 3, 64, 96)
    np.testing.assert_array_equal(seen[0], seen[2])
    assert echo.see(np.stack([PICTURE, PICTURE])).shape == (2, 3, 64, 96)


def test_an_open_size_is_that_of_the_manifest(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, -1, -1], Preprocess(size=(48, 32)))
    assert echo.see(PICTURE).shape == (1, 3, 32, 48)


def test_layout_of_config_json_changes_nothing_for_pictures(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], BGR, layout="NHWC:NCHW")
    assert echo.servable.inputs[0].shape == (1, 64, 96, 3)
    np.testing.assert_array_equal(echo.see_pixels(PICTURE), PICTURE)


def test_values_of_config_json_are_for_own_tensors_only(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], BGR, mean=100.0, scale=2.0)
    own = np.full((1, 3, 64, 96), 110, np.float32)
    np.testing.assert_array_equal(echo.see(own), np.full_like(own, 5))
    np.testing.assert_array_equal(echo.see_pixels(PICTURE), PICTURE)
    settings: dict[str, Any] = {"mean": 100.0, "precision": "UINT8:FP32", "layout": "NHWC:NCHW"}
    in_bytes = load_echo(tmp_path, [1, 3, 64, 96], BGR, **settings)
    np.testing.assert_array_equal(in_bytes.see_pixels(as_bytes(png(PICTURE))), PICTURE)


@pytest.mark.parametrize("colours", ["NV12:BGR", "I420:BGR"])
def test_frames_in_one_plane_and_pictures_go_in_beside_each_other(
    tmp_path: Path, colours: str
) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], BGR, color_format=colours, precision="UINT8:FP32")
    gray = np.full((1, 96, 96, 1), 128, np.uint8)  # Y, U and V
    np.testing.assert_allclose(echo.see(gray), 130.4, atol=1)
    np.testing.assert_array_equal(echo.see_pixels(PICTURE), PICTURE)
    np.testing.assert_array_equal(echo.see_pixels(as_bytes(png(PICTURE))), PICTURE)


@pytest.mark.parametrize("colours", ["NV12_2:BGR", "I420_3:BGR"])
def test_pictures_keep_the_model_s_own_name_beside_planes_of_others(
    tmp_path: Path, colours: str
) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], BGR, color_format=colours)
    assert echo.servable.inputs[0].name == "image/y"
    np.testing.assert_array_equal(echo.see_pixels(PICTURE), PICTURE)
    np.testing.assert_array_equal(echo.see_pixels(as_bytes(png(PICTURE))), PICTURE)


def test_orientation_tags_turn_the_picture_upright(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, 96, 64], BGR)
    content = jpeg(PICTURE)
    upright = cv2.rotate(decoded(content), cv2.ROTATE_90_CLOCKWISE)
    np.testing.assert_array_equal(echo.see_pixels(as_bytes(turned(content, 6))), upright)


@pytest.mark.parametrize(
    "content",
    [
        png(PICTURE.astype(np.uint16) * 256 + 99),
        png(np.dstack([PICTURE, np.full((64, 96), 7, np.uint8)])),
    ],
    ids=["16 bits", "alpha"],
)
def test_deeper_and_transparent_pictures_are_their_colours(echo: Echo, content: bytes) -> None:
    np.testing.assert_array_equal(echo.see_pixels(as_bytes(content)), PICTURE)


def test_gray_pictures_have_three_equal_channels(echo: Echo) -> None:
    seen = echo.see_pixels(as_bytes(png(PICTURE[..., 1])))
    np.testing.assert_array_equal(seen, np.repeat(PICTURE[..., 1:2], 3, axis=2))


def test_cmyk_is_decoded(echo: Echo) -> None:
    content = io.BytesIO()
    Image.new("CMYK", (96, 64), (75, 135, 195, 0)).save(content, "JPEG")
    seen = echo.see_pixels(as_bytes(content.getvalue()))
    np.testing.assert_allclose(seen.mean(axis=(0, 1)), [60, 120, 180], atol=3)


def test_uint8_that_is_no_picture_is_the_wrong_datatype(echo: Echo) -> None:
    wrong = {"image": np.zeros((1, 3, 64, 96), np.uint8)}
    servable, inputs = echo.entrances.enter(wrong, echo.reader)
    with pytest.raises(WrongDatatype):
        fit_inputs(inputs, servable.inputs, servable.input_aliases)


@pytest.mark.parametrize(
    ("shape", "preprocess", "reason"),
    [
        ([1, 1, 64, 96], BGR, "makes 3 channels"),
        ([1, 3, 64, 96], Preprocess(mean=(1.0, 2.0)), "does not fit input 'image'"),
        ([1, 3, -1, -1], BGR, "add `preprocess.size`"),
    ],
    ids=["channels", "mean", "size"],
)
def test_a_manifest_that_does_not_fit_fails_pictures_and_no_tensors(
    tmp_path: Path, shape: list[int], preprocess: Preprocess, reason: str
) -> None:
    echo = load_echo(tmp_path, shape, preprocess)
    for _ in range(2):
        with pytest.raises(InferenceFailed, match=reason):
            echo.see(as_bytes(JPEG))
    own = np.ones([max(size, 1) for size in shape], np.float32)
    np.testing.assert_array_equal(echo.see(own), own)


def test_decoding_is_timed(echo: Echo) -> None:
    metrics = ServerMetrics()
    echo.entrances.enter({"image": as_bytes(JPEG)}, PictureReader(observe=metrics.observe_decoding))
    assert "camfleet_image_decode_us_count 1" in metrics.exposition()


def test_opencv_is_loaded_by_the_first_picture_only() -> None:
    code = "import sys, camfleet_server.serving.dataplane;assert 'cv2' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
