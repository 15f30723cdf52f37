"""Inference answers written as bytes are what protobuf would write."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.protocols import inference_pb2, serving_pb2
from camfleet_contracts.tensors import DATATYPES, decode_tensor_proto
from camfleet_contracts.wire_answers import (
    infer_answer,
    joined,
    predict_answer,
    streamed,
    varint,
)

NUMERIC = [datatype for datatype in DATATYPES if datatype.name != "BYTES"]


def texts(*values: bytes) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


OUTPUTS: dict[str, NDArray[Any]] = {
    "größe": np.arange(300, dtype=np.float32).reshape(1, 300),
    "transposed": np.arange(6, dtype=np.int16).reshape(2, 3).T,
    "foreign": np.arange(3, dtype=">i4"),
    "scalar": np.array(7, np.int64),
    "empty": np.empty((0, 4), np.uint8),
    "texts": texts(b"\xff\xd8", b""),
}


def infer_response(outputs: dict[str, NDArray[Any]], request_id: bytes = b"") -> Any:
    data = joined(infer_answer("m", 3, outputs, request_id))
    return inference_pb2.ModelInferResponse.FromString(data)


def predict_response(outputs: dict[str, NDArray[Any]]) -> serving_pb2.PredictResponse:
    return serving_pb2.PredictResponse.FromString(joined(predict_answer("m", 3, outputs)))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 1 << 31, (1 << 35) + 5])
def test_varint_is_protobuf_s(number: int) -> None:
    parameter = inference_pb2.InferParameter(uint64_param=number).SerializeToString()
    assert varint(number) == parameter[1:]


def test_infer_answer_has_head_id_and_raw_outputs_in_order() -> None:
    response = infer_response(OUTPUTS, b"req-7")
    assert (response.model_name, response.model_version, response.id) == ("m", "3", "req-7")
    assert [(o.name, o.datatype, tuple(o.shape)) for o in response.outputs] == [
        ("größe", "FP32", (1, 300)),
        ("transposed", "INT16", (3, 2)),
        ("foreign", "INT32", (3,)),
        ("scalar", "INT64", ()),
        ("empty", "UINT8", (0, 4)),
        ("texts", "BYTES", (2,)),
    ]
    assert list(response.raw_output_contents) == [
        OUTPUTS["größe"].tobytes(),
        np.ascontiguousarray(OUTPUTS["transposed"]).tobytes(),
        np.arange(3, dtype=np.int32).tobytes(),
        np.array(7, np.int64).tobytes(),
        b"",
        b"\x02\x00\x00\x00\xff\xd8\x00\x00\x00\x00",
    ]


def test_answers_of_one_shape_share_their_head_only() -> None:
    first = infer_answer("m", 1, {"y": np.zeros(2, np.float32)})
    second = infer_answer("m", 1, {"y": np.ones(2, np.float32)}, b"5")
    other = infer_answer("m", 2, {"y": np.ones(3, np.float32)})
    assert first[0] is second[0]
    assert other[0] != first[0]
    assert infer_response({"y": np.ones(2, np.float32)}, b"5").id == "5"


@pytest.mark.parametrize("datatype", NUMERIC, ids=lambda d: d.name)
def test_predict_answer_carries_tensor_content(datatype: Any) -> None:
    array = np.array([[1, 0], [1, 1]]).astype(datatype.dtype)
    response = predict_response({"y": array})
    assert response.outputs["y"].tensor_content == array.tobytes()
    np.testing.assert_array_equal(decode_tensor_proto(response.outputs["y"], "y"), array)


def test_predict_answer_has_spec_and_every_output() -> None:
    response = predict_response(OUTPUTS)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("m", 3, "serving_default")
    assert list(response.outputs["texts"].string_val) == [b"\xff\xd8", b""]
    decoded = {name: decode_tensor_proto(proto, name) for name, proto in response.outputs.items()}
    assert {name: array.tolist() for name, array in decoded.items()} == {
        name: array.tolist() for name, array in OUTPUTS.items()
    }


def test_streamed_answer_wraps_the_whole_answer() -> None:
    answer = infer_answer("m", 1, {"y": np.zeros(1000, np.float32)}, b"id")
    wrapped = inference_pb2.ModelStreamInferResponse.FromString(joined(streamed(answer)))
    assert wrapped.infer_response == inference_pb2.ModelInferResponse.FromString(joined(answer))
