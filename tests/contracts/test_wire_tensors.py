"""Tensors to the wire and back, and every way in which they can be malformed."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.datatypes import Datatype
from camfleet_contracts.protocols import inference_pb2, tensorflow_pb2
from camfleet_contracts.tensors import (
    DATATYPES,
    InvalidTensor,
    datatype_of,
    decode_contents,
    decode_raw,
    decode_tensor_proto,
    decode_values,
    encode_raw,
    encode_tensor_proto,
    find_datatype,
    get_datatype,
)

NUMERIC = [datatype for datatype in DATATYPES if datatype.name != "BYTES"]
TYPED = [datatype for datatype in NUMERIC if datatype.kserve_field]


def texts(*values: bytes) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def proto_of(dtype: str, *shape: int, **values: Any) -> tensorflow_pb2.TensorProto:
    proto = tensorflow_pb2.TensorProto(dtype=dtype, **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def input_of(datatype: str, shape: list[int]) -> inference_pb2.ModelInferRequest.InferInputTensor:
    return inference_pb2.ModelInferRequest.InferInputTensor(
        name="x", datatype=datatype, shape=shape
    )


@pytest.mark.parametrize("datatype", NUMERIC, ids=lambda d: d.name)
def test_tensor_proto_round_trip_goes_as_tensor_content(datatype: Any) -> None:
    array = np.array([[1, 0, 1], [0, 1, 1]]).astype(datatype.dtype)
    proto = encode_tensor_proto(array)
    decoded = decode_tensor_proto(proto, "x")
    assert proto.tensor_content == array.tobytes()
    assert decoded.dtype == datatype.dtype
    np.testing.assert_array_equal(decoded, array)


@pytest.mark.parametrize("datatype", NUMERIC, ids=lambda d: d.name)
def test_tensor_proto_is_read_from_typed_values(datatype: Any) -> None:
    array = np.array([1, 0, 1]).astype(datatype.dtype)
    values = array.view(np.uint16) if datatype.name == "FP16" else array
    proto = tensorflow_pb2.TensorProto(dtype=datatype.tensorflow)
    proto.tensor_shape.dim.add(size=3)
    getattr(proto, datatype.tensorflow_field).extend(values.tolist())
    np.testing.assert_array_equal(decode_tensor_proto(proto, "x"), array)


def test_one_value_fills_the_shape_of_a_tensor_proto() -> None:
    decoded = decode_tensor_proto(proto_of("DT_FLOAT", 2, 2, float_val=[0.5]), "x")
    np.testing.assert_array_equal(decoded, np.full((2, 2), 0.5, np.float32))


def test_tensor_proto_without_shape_is_a_scalar() -> None:
    assert decode_tensor_proto(proto_of("DT_INT32", int_val=[7]), "x").shape == ()


def test_texts_go_as_string_val() -> None:
    proto = encode_tensor_proto(texts(b"one", b"\xff\xd8"))
    assert list(proto.string_val) == [b"one", b"\xff\xd8"]
    assert decode_tensor_proto(proto, "x").tolist() == [b"one", b"\xff\xd8"]


@pytest.mark.parametrize(
    ("proto", "text"),
    [
        (
            proto_of("DT_FLOAT", 1, 3, tensor_content=b"1234567890"),
            (
                "Invalid content size of tensor proto - Expected: 12 bytes; Actual: 10 bytes; "
                "input name: x"
            ),
        ),
        (
            proto_of("DT_FLOAT", 3, float_val=[1, 2]),
            (
                "Invalid number of values in tensor proto container - Expected: 3; Actual: 2; "
                "input name: x"
            ),
        ),
        (
            proto_of("DT_FLOAT", 3),
            (
                "Invalid number of values in tensor proto container - Expected: 3; Actual: 0; "
                "input name: x"
            ),
        ),
        (proto_of("DT_FLOAT", -1, float_val=[1]), "Invalid input shape - Expected"),
        (proto_of("DT_FLOAT", 1 << 40, 1 << 40, float_val=[1]), "one value may fill"),
        (proto_of("DT_FLOAT", 1 << 40, 1 << 40, tensor_content=b"1"), "Invalid content size"),
        (proto_of("DT_INT8", 1, int_val=[300]), "Invalid value in tensor - INT8"),
        (proto_of("DT_BFLOAT16", 1, tensor_content=b"12"), "send FP32 or FP16 instead"),
        (proto_of("DT_COMPLEX64", 1, tensor_content=b"12345678"), "Actual: DT_COMPLEX64"),
        (proto_of("DT_INVALID", 1), "Actual: DT_INVALID"),
        (proto_of("DT_STRING", 1, tensor_content=b"abc"), "String val is empty"),
        (
            tensorflow_pb2.TensorProto(
                dtype=tensorflow_pb2.DT_FLOAT,
                tensor_shape=tensorflow_pb2.TensorShapeProto(unknown_rank=True),
            ),
            "the rank is not given",
        ),
        (tensorflow_pb2.TensorProto(dtype=99), "Actual: datatype 99"),  # type: ignore[arg-type] # a number no enum has
    ],
)
def test_malformed_tensor_proto_is_refused(proto: tensorflow_pb2.TensorProto, text: str) -> None:
    with pytest.raises(InvalidTensor) as refused:
        decode_tensor_proto(proto, "x")
    assert text in str(refused.value)


@pytest.mark.parametrize("datatype", NUMERIC, ids=lambda d: d.name)
def test_raw_contents_are_read_without_a_copy(datatype: Any) -> None:
    array = np.array([[1, 0], [1, 1]]).astype(datatype.dtype)
    raw = encode_raw(array)
    decoded = decode_raw(raw, datatype.name, [2, 2], "x")
    np.testing.assert_array_equal(decoded, array)
    assert np.shares_memory(decoded, np.frombuffer(raw, np.uint8))


@pytest.mark.parametrize("datatype", TYPED, ids=lambda d: d.name)
def test_kserve_input_is_read_from_typed_contents(datatype: Any) -> None:
    array = np.array([[1, 0], [1, 1]]).astype(datatype.dtype)
    item = input_of(datatype.name, [2, 2])
    getattr(item.contents, datatype.kserve_field).extend(array.ravel().tolist())
    decoded = decode_contents(item)
    np.testing.assert_array_equal(decoded, array)
    assert decoded.dtype == datatype.dtype


def test_texts_are_read_from_raw_and_typed_contents() -> None:
    raw = encode_raw(texts(b"a", b"", b"\xff"))
    item = input_of("BYTES", [3])
    item.contents.bytes_contents.extend([b"a", b"", b"\xff"])
    assert decode_raw(raw, "BYTES", [3], "x").tolist() == [b"a", b"", b"\xff"]
    assert decode_contents(item).tolist() == [b"a", b"", b"\xff"]


def test_outputs_that_are_not_contiguous_are_encoded_in_order() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert encode_raw(array) == np.ascontiguousarray(array).tobytes()
    assert encode_tensor_proto(array).tensor_content == np.ascontiguousarray(array).tobytes()


def test_values_of_another_kind_are_refused() -> None:
    with pytest.raises(InvalidTensor, match="Invalid value in tensor - FP32"):
        decode_values(["one"], "FP32", [1], "x")


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (np.zeros(1, ">f4"), "FP32"),
        (np.array(["text"]), "BYTES"),
        (np.array([b"bytes"]), "BYTES"),
        (np.zeros(1, bool), "BOOL"),
    ],
)
def test_datatype_of_an_array_is_the_name_kserve_uses(array: NDArray[Any], name: str) -> None:
    assert datatype_of(array) == name


def test_arrays_no_wire_can_carry_are_refused() -> None:
    with pytest.raises(InvalidTensor, match="Actual: complex64"):
        datatype_of(np.zeros(1, np.complex64), "x")


def test_big_endian_arrays_are_sent_little_endian() -> None:
    assert encode_raw(np.array([1], ">i4")) == b"\x01\x00\x00\x00"
    assert encode_tensor_proto(np.array([1], ">i4")).tensor_content == b"\x01\x00\x00\x00"


def test_unknown_datatypes_are_found_to_be_none() -> None:
    assert find_datatype("BF16") is None
    assert get_datatype("FP32", "x").dtype == np.float32


@pytest.mark.parametrize("datatype", DATATYPES, ids=lambda datatype: datatype.name)
def test_numbers_of_datatypes_are_those_of_the_protos(datatype: Datatype) -> None:
    names = {"FP32": "FLOAT", "FP16": "HALF", "FP64": "DOUBLE", "BYTES": "STRING"}
    name = names.get(datatype.name, datatype.name)
    assert datatype.tensorflow == tensorflow_pb2.DataType.Value(f"DT_{name}")
    triton_name = "STRING" if datatype.name == "BYTES" else datatype.name
    assert datatype.triton == inference_pb2.DataType.Value(f"TYPE_{triton_name}")
