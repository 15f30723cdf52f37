"""Requests written as bytes are those protobuf would write, and read back as they were."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.datatypes import InvalidTensor
from camfleet_contracts.protocols import inference_pb2
from camfleet_contracts.tensors import decode_raw
from camfleet_contracts.wire_requests import infer_request, shared_infer_request

PICTURE = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)


def parsed(data: bytes) -> inference_pb2.ModelInferRequest:
    return inference_pb2.ModelInferRequest.FromString(data)


@pytest.mark.parametrize(
    "tensor",
    [
        PICTURE,
        PICTURE[:, ::-1, ::2],
        PICTURE.transpose(0, 3, 1, 2),
        PICTURE.astype(np.float32),
        PICTURE.astype(">f4"),
        np.zeros((1, 300, 300, 3), np.float16),
        np.zeros((0, 4), np.int64),
        np.array(["größe", "b"], dtype=object),
    ],
    ids=["bytes", "turned", "transposed", "floats", "other-order", "large", "empty", "texts"],
)
def test_elements_come_back_as_they_were(tensor: NDArray[Any]) -> None:
    request = parsed(infer_request("m", "", "x", tensor))
    [given], [raw] = request.inputs, request.raw_input_contents
    found = decode_raw(raw, given.datatype, given.shape, given.name)
    if tensor.dtype == object:
        assert [value.decode() for value in found] == list(tensor)
    else:
        np.testing.assert_array_equal(found, tensor)


def test_name_version_and_input_are_said() -> None:
    request = parsed(infer_request("m", "3", "x", PICTURE))
    assert (request.model_name, request.model_version) == ("m", "3")
    [given] = request.inputs
    assert (given.name, given.datatype, list(given.shape)) == ("x", "UINT8", [2, 3, 4, 3])


def test_elements_in_shared_memory_are_named_and_not_sent() -> None:
    request = parsed(shared_infer_request("m", "", "x", PICTURE.astype(np.float32), "seg-1"))
    parameters = request.inputs[0].parameters
    assert parameters["shared_memory_region"].string_param == "seg-1"
    assert parameters["shared_memory_byte_size"].int64_param == PICTURE.size * 4
    assert not request.raw_input_contents


def test_requests_that_differ_in_one_thing_are_not_mistaken_for_each_other() -> None:
    floats = PICTURE.astype(np.float32)
    made = [
        infer_request("m", "", "x", PICTURE),
        infer_request("n", "", "x", PICTURE),
        infer_request("m", "1", "x", PICTURE),
        infer_request("m", "", "y", PICTURE),
        infer_request("m", "", "x", floats),
        infer_request("m", "", "x", PICTURE[:1]),
        shared_infer_request("m", "", "x", PICTURE, "a"),
        shared_infer_request("m", "", "x", PICTURE, "b"),
    ]
    assert len({bytes(one) for one in made}) == len(made)


def test_elements_no_server_knows_are_refused() -> None:
    with pytest.raises(InvalidTensor, match="complex128"):
        infer_request("m", "", "x", np.zeros(3, complex))
