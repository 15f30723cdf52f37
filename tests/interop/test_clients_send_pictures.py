"""Other people's clients send a JPEG and get what they get for the tensor made of it."""

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.inference.model_client import ModelClient
from camfleet.inference.preprocessing import preprocess_of, to_tensor
from other_clients import CLIENTS, Address, only_output

pytestmark = pytest.mark.interop

MODEL, INPUT, SIZE = "fastestdet-coco", "input.1", (352, 352)
IMAGE = "dog-bicycle-truck.jpg"


@pytest.fixture(scope="module")
def picture(shared_data: Path) -> bytes:
    return (shared_data / "media" / "images" / IMAGE).read_bytes()


@pytest.fixture(scope="module")
def expected(real: Address, picture: bytes) -> NDArray[Any]:
    """The answer to the tensor a client makes itself."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    scaled = cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    tensor = np.ascontiguousarray(scaled[None], np.float32) / np.float32(255)
    return only_output(CLIENTS["triton-grpc"](real, MODEL, {INPUT: tensor}))


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_sends_jpeg_as_bytes(
    real: Address, client: str, picture: bytes, expected: NDArray[Any]
) -> None:
    answer = CLIENTS[client](real, MODEL, {INPUT: np.array([picture], object)})
    np.testing.assert_allclose(only_output(answer), expected, atol=0.02)


@pytest.mark.parametrize("client", ["triton-grpc", "triton-stream", "triton-http", "serving-api"])
def test_pixels_of_any_size_are_sent_as_uint8(
    real: Address, client: str, picture: bytes, expected: NDArray[Any]
) -> None:
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    answer = CLIENTS[client](real, MODEL, {INPUT: np.asarray(pixels[None], np.uint8)})
    np.testing.assert_allclose(only_output(answer), expected, atol=0.02)


def test_a_camera_service_sends_pixels_and_gets_what_its_own_tensor_gets(
    real: Address, picture: bytes
) -> None:
    client = ModelClient(real.grpc)
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    frame = av.VideoFrame.from_ndarray(np.asarray(pixels, np.uint8), format="bgr24")
    answer = client.ask(frame, MODEL)
    client.close()
    assert answer.model.takes_pictures
    tensor, _ = to_tensor(frame, preprocess_of(answer.model.manifest), answer.model.input, SIZE)
    own = only_output(CLIENTS["triton-grpc"](real, MODEL, {INPUT: tensor}))
    np.testing.assert_allclose(answer.outputs["758"], own, atol=0.001)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_is_told_what_is_wrong_with_a_picture(real: Address, client: str) -> None:
    with pytest.raises(Exception, match="only JPEG and PNG are taken, this is GIF"):
        CLIENTS[client](real, MODEL, {INPUT: np.array([b"GIF89a..."], object)})
