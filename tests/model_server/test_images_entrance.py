"""Two entrances on one input: what is a picture, what is a tensor, and what is refused."""

import io
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.bytes_in_hand import BytesInHand
from camfleet_server.errors import InferenceFailed, InvalidInput, ServerBusy
from camfleet_server.images.entrance import Entrances
from camfleet_server.images.errors import EntranceClosed
from camfleet_server.images.reader import PictureReader
from camfleet_server.input_errors import WrongDatatype
from camfleet_server.metrics import ServerMetrics
from camfleet_server.runtimes.base import LoadError, PictureInput, Servable
from camfleet_server.serving.validation import fit_inputs
from camfleet_server.types import Tensors, TensorSpec
from picture_models import (
    Echo,
    as_bytes,
    decoded,
    jpeg,
    load_echo,
    png,
    png_claiming,
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


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    """FP32 [1, 64, 96, 3] without a manifest."""
    return load_echo(tmp_path_factory.mktemp("bare"), [1, 64, 96, 3])


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


def test_uint8_that_is_no_picture_is_the_wrong_datatype(echo: Echo) -> None:
    wrong = {"image": np.zeros((1, 3, 64, 96), np.uint8)}
    servable, inputs = echo.entrances.enter(wrong, echo.reader)
    with pytest.raises(WrongDatatype):
        fit_inputs(inputs, servable.inputs, servable.input_aliases)


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


def test_the_graph_is_compiled_once_while_own_tensors_go_on() -> None:
    servable = SlowToCompile()
    manifest = ModelManifest(preprocess=BGR)
    entrances = Entrances("slow", 1, servable, manifest, ModelConfig(name="slow", base_path="."))
    reader = PictureReader()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(entrances.enter, {"image": PICTURE}, reader) for _ in range(3)]
        assert servable.began.wait(30)
        own = {"image": np.zeros((1, 3, 64, 96), np.float32)}
        assert entrances.enter(own, reader)[1] is own
        servable.may_end.set()
        assert len({id(future.result(30)[0]) for future in waiting}) == 1
    assert servable.compilations == 1


def test_the_graph_can_be_compiled_before_the_first_picture(tmp_path: Path) -> None:
    echo = load_echo(tmp_path / "good", [1, 3, 64, 96], BGR)
    assert not echo.entrances.is_compiled
    prepared = echo.entrances.prepare()
    assert echo.entrances.is_compiled
    assert echo.entrances.enter({"image": PICTURE}, echo.reader)[0] is prepared
    assert load_echo(tmp_path / "none", [1, 3, 64, 96]).entrances.prepare() is None
    assert load_echo(tmp_path / "bad", [1, 1, 64, 96], BGR).entrances.prepare() is None


def test_a_version_that_is_unloaded_before_its_first_picture_sends_it_on(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], BGR)
    echo.entrances.close()
    echo.servable.close()
    with pytest.raises(EntranceClosed):
        echo.see(PICTURE)


def test_runtimes_without_a_graph_of_their_own_get_pictures_through_numpy(echo: Echo) -> None:
    servable = OwnTensorsOnly()
    preprocess = Preprocess(resize="letterbox", colour="RGB", mean=(10.0,), scale=0.5)
    manifest = ModelManifest(preprocess=preprocess)
    plain = Entrances("plain", 1, servable, manifest, ModelConfig(name="plain", base_path="."))
    image_servable, inputs = plain.enter({"image": as_bytes(png(PICTURE))}, PictureReader())
    seen = image_servable.infer(inputs, ("seen",))["seen"]
    expected = (PICTURE[..., ::-1].astype(np.float32) - 10) * 0.5
    np.testing.assert_array_equal(seen[0].transpose(1, 2, 0), expected)


def test_pictures_that_together_are_too_many_pixels_wait_for_each_other() -> None:
    fitting, reader = HeldFitting(), PictureReader(max_pixels=96 * 64 + 1)
    content = png(PICTURE)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader.read, [content], "image", fitting)
        assert fitting.inside.acquire(timeout=30)
        second = pool.submit(reader.read, [content], "image", fitting)
        assert not fitting.inside.acquire(timeout=0.05)
        fitting.may_end.set()
        assert first.result(30).shape == second.result(30).shape


def test_pixels_that_together_become_too_many_wait_for_each_other() -> None:
    fitting, reader = HeldFitting(), PictureReader(max_pixels=96 * 64 + 1)
    fitting.fitted_size = (96, 64)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader.fit, np.zeros((1, 1, 1, 3), np.uint8), "image", fitting)
        assert fitting.inside.acquire(timeout=30)
        second = pool.submit(reader.fit, np.zeros((1, 1, 1, 3), np.uint8), "image", fitting)
        assert not fitting.inside.acquire(timeout=0.05)
        fitting.may_end.set()
        assert first.result(30).shape == second.result(30).shape


def test_decoding_is_timed(echo: Echo) -> None:
    metrics = ServerMetrics()
    echo.entrances.enter({"image": as_bytes(JPEG)}, PictureReader(observe=metrics.observe_decoding))
    assert "camfleet_image_decode_us_count 1" in metrics.exposition()


def test_opencv_is_loaded_by_the_first_picture_only() -> None:
    code = "import sys, camfleet_server.serving.dataplane;assert 'cv2' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class OwnTensorsOnly:
    """A servable whose output is its input."""

    platform, device, slots = "test", "CPU", 1
    input_aliases: Mapping[str, str]
    output_aliases: Mapping[str, str]

    def __init__(self) -> None:
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("image", "FP32", (1, 3, 64, 96)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("seen", "FP32", (1, 3, 64, 96)),)
        self.input_aliases = {}
        self.output_aliases = {}

    def infer(self, inputs: Tensors, wanted: tuple[str, ...], *, in_crowd: bool = False) -> Tensors:
        return dict.fromkeys(wanted, inputs["image"])

    def close(self) -> None:
        """Nothing to give back."""


class SlowToCompile(OwnTensorsOnly):
    """Compiles for pictures when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.picture_inputs = self.inputs
        self.began, self.may_end = threading.Event(), threading.Event()
        self.compilations = 0

    def image_servable(self, picture: PictureInput) -> Servable:
        self.compilations += 1
        self.began.set()
        if not self.may_end.wait(30):
            raise LoadError(f"nobody let {picture.name} go on")
        return OwnTensorsOnly()


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
        assert self.may_end.wait(30)
        return pixels

    def sizes(self, frame: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        return frame, self.fitted_size
