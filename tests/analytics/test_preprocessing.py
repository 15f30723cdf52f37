"""Fitting a frame into a model's input and finding the way back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.inference.geometry import Resize, crop, letterbox, stretch
from camfleet.inference.pictures import scaled
from camfleet.inference.preprocessing import input_size, preprocess_of, to_pixels, to_tensor
from camfleet.inference.served_model import TensorSpec, UnusableModel
from camfleet_contracts.model_manifest import Preprocess, parse_manifest
from fakes_analytics import picture

NCHW = TensorSpec("x", "FP32", (1, 3, 32, 64))
NHWC = TensorSpec("x", "UINT8", (1, 32, 64, 3))


@pytest.mark.parametrize(
    "resize",
    [
        stretch((640, 480), (320, 320)),
        letterbox((640, 480), (320, 320), centred=True),
        letterbox((640, 480), (320, 320), centred=False),
        crop((640, 480), (320, 320)),
    ],
    ids=["stretch", "letterbox", "letterbox-topleft", "crop"],
)
def test_boxes_find_their_way_back_to_the_frame(resize: Resize) -> None:
    box = np.array([[100, 50, 300, 200]], np.float32)
    fitted = box * np.array(resize.scale * 2) + np.array(resize.offset * 2)
    assert resize.boxes_to_frame(fitted.astype(np.float32)) == pytest.approx(box, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "padded_rows"),
    [("letterbox", [0, 1, 30, 31]), ("letterbox-topleft", [28, 29, 30, 31])],
)
def test_letterbox_pads_what_the_picture_does_not_fill(kind: Any, padded_rows: list[int]) -> None:
    preprocess = Preprocess(resize=kind, pad=114)
    tensor, _ = to_tensor(picture(640, 280), preprocess, NCHW, (64, 32))
    assert np.flatnonzero((tensor[0, 0] == 114).all(axis=1)).tolist() == padded_rows


def test_values_are_normalised_per_channel() -> None:
    preprocess = Preprocess(mean=(10, 20, 30), scale=(1, 0.5, 0.1))
    tensor, _ = to_tensor(picture(), preprocess, NCHW, (64, 32))
    assert tensor.shape == (1, 3, 32, 64)
    assert tensor.dtype == np.float32
    assert tensor[0, :, 0, 0].tolist() == pytest.approx([-10, -10, -3])


@pytest.mark.parametrize(("colour", "channels"), [("RGB", 3), ("BGR", 3), ("GRAY", 1)])
def test_pixels_are_what_the_tensor_is_made_of(colour: Any, channels: int) -> None:
    preprocess = Preprocess(resize="letterbox", colour=colour, mean=(10,), scale=0.5)
    pixels, resize = to_pixels(picture(640, 280), preprocess, (64, 32))
    assert pixels.shape == (1, 32, 64, channels)
    assert pixels.dtype == np.uint8
    tensor, expected_resize = to_tensor(picture(640, 280), preprocess, NCHW, (64, 32))
    assert resize == expected_resize
    ordered = pixels[0, ..., ::-1] if colour == "RGB" else pixels[0]
    assert tensor[0] == pytest.approx((ordered.transpose(2, 0, 1) - 10.0) * 0.5)


def test_bytes_stay_bytes_for_a_model_that_takes_bytes() -> None:
    tensor, _ = to_tensor(picture(), Preprocess(layout="NHWC"), NHWC, (64, 32))
    assert tensor.shape == (1, 32, 64, 3)
    assert tensor.dtype == np.uint8


def test_grey_models_get_one_channel() -> None:
    spec = TensorSpec("x", "INT8", (1, 32, 64, 1))
    preprocess = Preprocess(layout="NHWC", colour="GRAY", mean=(128,))
    tensor, _ = to_tensor(picture(), preprocess, spec, (64, 32))
    assert (tensor.shape, int(tensor[0, 0, 0, 0])) == ((1, 32, 64, 1), -128)


def test_alwaysai_fields_say_how_to_preprocess() -> None:
    manifest = parse_manifest(
        {"mean": [104, 117, 123], "scalefactor": 0.5, "size": [300, 200], "swaprb": False},
        where="test",
    )
    preprocess = preprocess_of(manifest)
    assert (preprocess.colour, preprocess.size, preprocess.scale) == ("BGR", (300, 200), 0.5)


@pytest.mark.parametrize(
    ("shape", "layout", "size"),
    [((1, 200, 300, 3), "NHWC", (300, 200)), ((1, 3, 200, 300), "NCHW", (300, 200))],
)
def test_where_channels_are_comes_from_the_file_when_no_manifest_says_it(
    shape: tuple[int, ...], layout: str, size: tuple[int, int]
) -> None:
    spec = TensorSpec("x", "UINT8", shape)
    preprocess = preprocess_of(parse_manifest({}, where="test"), spec)
    assert (preprocess.layout, input_size(preprocess, spec, "m")) == (layout, size)


def test_size_comes_from_the_file_first() -> None:
    assert input_size(Preprocess(size=(9, 9)), NCHW, "m") == (64, 32)


def test_free_size_comes_from_the_manifest() -> None:
    free = TensorSpec("x", "FP32", (1, 3, -1, -1))
    assert input_size(Preprocess(size=(320, 240)), free, "m") == (320, 240)
    with pytest.raises(UnusableModel, match=r"m: input 'x' has no fixed size; add"):
        input_size(Preprocess(), free, "m")


def test_models_without_a_picture_input_are_refused() -> None:
    with pytest.raises(UnusableModel, match=r"input 'x' is INT32 \[1, 16\], not a picture"):
        input_size(Preprocess(), TensorSpec("x", "INT32", (1, 16)), "m")


@pytest.mark.parametrize("colour", ["RGB", "BGR", "GRAY"])
@pytest.mark.parametrize("size", [(352, 352), (100, 40), (900, 700)], ids=str)
def test_an_array_is_scaled_as_a_decoded_frame_is(size: tuple[int, int], colour: str) -> None:
    column = np.linspace(0, 255, 720)[:, None, None]
    row = np.linspace(0, 255, 1280)[None, :, None]
    image = ((column + row) / 2 * np.array([1.0, 0.6, 0.3])).astype(np.uint8)

    ours = scaled(image, size, colour)

    frame = scaled(av.VideoFrame.from_ndarray(image, format="bgr24"), size, colour)
    assert ours.shape == frame.shape == (size[1], size[0], 1 if colour == "GRAY" else 3)
    difference = np.abs(ours.astype(int) - frame.astype(int))
    assert difference.mean() < (12 if colour == "GRAY" else 4)  # they weigh colours otherwise


@pytest.mark.parametrize(
    ("frame", "size"),
    [((1280, 720), (352, 352)), ((1920, 1080), (320, 192)), ((640, 480), (256, 192))],
)
def test_shrinking_an_array_is_near_the_average_of_each_area(
    frame: tuple[int, int], size: tuple[int, int]
) -> None:
    image = _noise_as_of_a_camera(frame)

    shrunk = scaled(image, size, "BGR").astype(int)

    averaged = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(int)
    between_two = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(int)
    assert abs(shrunk - averaged).mean() < 0.6 * abs(between_two - averaged).mean()


def test_shrinking_a_panorama_averages_its_long_side() -> None:
    stripes = np.tile(np.array([0, 0, 0, 0, 200, 200, 200, 200], np.uint8), 600)[None, :, None]
    image = np.ascontiguousarray(np.broadcast_to(stripes, (400, 4800, 3)))

    shrunk = scaled(image, (150, 300), "BGR")

    assert abs(shrunk.astype(int) - 100).max() <= 1


def _noise_as_of_a_camera(size: tuple[int, int]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.uint8)


def test_one_frame_may_be_scaled_by_many_threads() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, "bgr24").reformat(format="yuv420p")
    sizes = [(320, 192), (352, 352), (300, 300), (640, 640)]
    expected = {size: scaled(frame, size, "BGR") for size in sizes}
    with ThreadPoolExecutor(8) as threads:
        pixels = list(threads.map(lambda size: scaled(frame, size, "BGR"), sizes * 25))
    assert all(np.array_equal(a, expected[b]) for a, b in zip(pixels, sizes * 25, strict=True))
