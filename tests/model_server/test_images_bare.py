"""Pictures for models without `preprocess`: taken as OVMS takes them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from camfleet_server.errors import InvalidInput
from picture_models import Echo, as_bytes, decoded, jpeg, load_echo, png, scene, turned

PICTURE = scene(96, 64)
JPEG = jpeg(scene(200, 100))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    """FP32 [1, 64, 96, 3] without a manifest."""
    return load_echo(tmp_path_factory.mktemp("bare"), [1, 64, 96, 3])


def test_without_preprocess_nhwc_inputs_take_pictures_as_ovms_does(bare: Echo) -> None:
    stretched = cv2.resize(decoded(JPEG), (96, 64))
    np.testing.assert_array_equal(bare.see(as_bytes(JPEG))[0], stretched)
    np.testing.assert_array_equal(bare.see(as_bytes(turned(JPEG, 6)))[0], stretched)


def test_without_preprocess_the_layout_of_config_json_counts(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], layout="NHWC:NCHW")
    np.testing.assert_array_equal(echo.see_pixels(as_bytes(png(PICTURE))), PICTURE)


def test_without_preprocess_pictures_of_a_batch_need_one_size_where_the_model_has_none(
    tmp_path: Path,
) -> None:
    echo = load_echo(tmp_path, [-1, -1, -1, 3])
    assert echo.see(as_bytes(png(PICTURE), png(PICTURE))).shape == (2, 64, 96, 3)
    with pytest.raises(InvalidInput, match="required to have the same resolution"):
        echo.see(as_bytes(png(PICTURE), JPEG))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            png(PICTURE[..., 1]),
            "Invalid number of channels in binary input - Expected: 3; Actual: 1",
        ),
        (png(np.dstack([PICTURE, PICTURE[..., 0]])), "Expected: 3; Actual: 4"),
    ],
    ids=["gray", "alpha"],
)
def test_without_preprocess_channels_must_be_the_model_s(
    bare: Echo, content: bytes, text: str
) -> None:
    with pytest.raises(InvalidInput, match=text):
        bare.see(as_bytes(content))


@pytest.mark.parametrize("shape", [[1, 3, 64, 96], [1, 10]], ids=["NCHW", "no picture"])
def test_without_preprocess_other_inputs_say_the_way_out(tmp_path: Path, shape: list[int]) -> None:
    echo = load_echo(tmp_path, shape)
    with pytest.raises(InvalidInput, match="not configured to accept NHWC layout") as refused:
        echo.see(as_bytes(JPEG))
    assert "`preprocess` to its model.json" in str(refused.value)
    assert '"layout": "NHWC:NCHW"' in str(refused.value)
