"""Clients of TensorFlow Serving and KServe get the known numbers of real models."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from other_clients import CLIENTS, Address, Answer, only_output
from real_models import PICTURE_MODELS, RealModel, expected_outputs

pytestmark = pytest.mark.interop

GRPC_CLIENTS = ("ovmsclient-grpc", "triton-grpc", "triton-stream", "serving-api")
FAST_CLIENTS = (*GRPC_CLIENTS, "triton-http")  # JSON of a picture takes seconds
TOLERANCE = {"float32": 0.01, "uint8": 1.0}


def outputs_of(answer: Answer, expected: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """ovmsclient leaves out the name of a single output."""
    if list(answer.outputs) == [""]:
        return {next(iter(expected)): answer.outputs[""]}
    return answer.outputs


def summary(array: NDArray[Any]) -> list[float]:
    return [float(array.mean()), float(array.min()), float(array.max())]


@pytest.mark.parametrize("client", FAST_CLIENTS)
@pytest.mark.parametrize("model", PICTURE_MODELS, ids=lambda model: model.name)
def test_answers_have_the_expected_numbers(
    real: Address, shared_data: Path, client: str, model: RealModel
) -> None:
    inputs = model.read_input(shared_data / "media" / "images")
    expected = expected_outputs(shared_data / "expected", model)
    outputs = outputs_of(CLIENTS[client](real, model.name, inputs), expected)
    assert set(outputs) == set(expected)
    for name, numbers in expected.items():
        wanted = [numbers["mean"], numbers["min"], numbers["max"]]
        assert list(outputs[name].shape) == numbers["shape"]
        assert summary(outputs[name]) == pytest.approx(wanted, abs=TOLERANCE[numbers["dtype"]])


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("model", "input_name"),
    [("dummy", "b"), ("dummy_tflite", "input:0"), ("dummy_saved_model", "in")],
    ids=["openvino", "tflite", "saved model"],
)
def test_dummy_adds_one_in_every_framework(
    real: Address, client: str, model: str, input_name: str
) -> None:
    ten = np.arange(10, dtype=np.float32).reshape(1, 10)
    answer = CLIENTS[client](real, model, {input_name: ten})
    np.testing.assert_array_equal(only_output(answer), ten + 1)


@pytest.mark.parametrize("client", CLIENTS)
def test_sum_and_difference_of_triton_s_simple_model(real: Address, client: str) -> None:
    left = np.arange(16, dtype=np.int32).reshape(1, 16)
    right = np.ones((1, 16), np.int32)
    answer = CLIENTS[client](real, "triton_simple", {"INPUT0": left, "INPUT1": right})
    np.testing.assert_array_equal(answer.outputs["OUTPUT0"], left + right)
    np.testing.assert_array_equal(answer.outputs["OUTPUT1"], left - right)


@pytest.mark.parametrize("client", CLIENTS)
def test_small_models_of_ovms_add_what_they_should(real: Address, client: str) -> None:
    cube = np.arange(60, dtype=np.float32).reshape(1, 3, 4, 5)
    answer = CLIENTS[client](real, "increment_1x3x4x5", {"input": cube})
    np.testing.assert_array_equal(only_output(answer), cube + 1)
    answer = CLIENTS[client](real, "summator", {"input": np.array([[3]], np.float32)})
    np.testing.assert_array_equal(only_output(answer), [[3]])


def test_texts_and_scalars_pass_through_unchanged(real: Address) -> None:
    texts = np.array([b"one", b"two"], dtype=object)
    scalar = np.array(2.5, np.float32)
    passed = CLIENTS["triton-grpc"](real, "passthrough_string", {"my_name": texts})
    assert only_output(passed).tolist() == [b"one", b"two"]
    np.testing.assert_array_equal(
        only_output(CLIENTS["triton-grpc"](real, "scalar", {"model_scalar_input": scalar})), scalar
    )
