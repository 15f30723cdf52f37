"""Tensors between numpy and the wire: TensorFlow Serving's TensorProto and KServe's tensors.

Inside camfleet a BYTES tensor is an array of dtype object whose elements are ``bytes``.
Decoded arrays are read-only views of the message's bytes wherever that is possible.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.datatypes import (
    BYTES,
    DATATYPES,
    Datatype,
    InvalidTensor,
    datatype_of,
    find_datatype,
    get_datatype,
    get_tensorflow_datatype,
)
from camfleet_contracts.protocols import inference_pb2, tensorflow_pb2

__all__ = [
    "BYTES",
    "DATATYPES",
    "Datatype",
    "InvalidTensor",
    "datatype_of",
    "decode_infer_inputs",
    "decode_raw",
    "decode_tensor_proto",
    "decode_values",
    "encode_infer_outputs",
    "encode_raw",
    "encode_tensor_proto",
    "find_datatype",
    "get_datatype",
    "write_tensor_proto",
]

_LENGTH_PREFIX_BYTES = 4
_MAX_FILL_BYTES = 1 << 28  # what one broadcast value may grow to


def decode_tensor_proto(proto: tensorflow_pb2.TensorProto, tensor: str) -> NDArray[Any]:
    """Decode a TensorProto from its bytes or its typed values; one value fills the shape.

    Raises:
        InvalidTensor: datatype, shape and content do not fit each other.
    """
    datatype = get_tensorflow_datatype(proto.dtype, tensor)
    if proto.tensor_shape.unknown_rank:
        raise InvalidTensor(f"Invalid input shape - the rank is not given; input name: {tensor}")
    shape = _checked_shape([dim.size for dim in proto.tensor_shape.dim], tensor)
    if proto.tensor_content:
        if datatype is BYTES:
            raise InvalidTensor(f"String val is empty - input name: {tensor}")
        return _from_raw(proto.tensor_content, datatype, shape, tensor)
    values = getattr(proto, datatype.tensorflow_field)
    if len(values) == 1 and math.prod(shape) > 1:
        return _filled(_from_values(values, datatype, tensor), shape, tensor)
    _check_count(len(values), shape, tensor, noun="")
    return _from_values(values, datatype, tensor).reshape(shape)


def encode_tensor_proto(array: NDArray[Any], tensor: str = "") -> tensorflow_pb2.TensorProto:
    """Encode an array as a TensorProto; everything but texts goes as ``tensor_content``."""
    proto = tensorflow_pb2.TensorProto()
    write_tensor_proto(proto, array, tensor)
    return proto


def write_tensor_proto(
    proto: tensorflow_pb2.TensorProto, array: NDArray[Any], tensor: str = ""
) -> None:
    """Encode an array into an empty TensorProto that is part of a larger message already."""
    datatype = get_datatype(datatype_of(array, tensor), tensor)
    proto.dtype = datatype.tensorflow  # type: ignore[assignment] # an int is what it holds
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if datatype is BYTES:
        proto.string_val.extend(_as_bytes(value) for value in array.flat)
    else:
        proto.tensor_content = array.astype(datatype.dtype, copy=False).tobytes()


def decode_infer_inputs(request: inference_pb2.ModelInferRequest) -> dict[str, NDArray[Any]]:
    """Decode the inputs of a KServe request, from raw or typed contents.

    Raises:
        InvalidTensor: contents are missing, doubled or do not fit datatype and shape.
    """
    raws: Sequence[bytes] = request.raw_input_contents
    if not raws:
        arrays = [_decode_typed(item) for item in request.inputs]
    else:
        _check_raws(request.inputs, len(raws))
        arrays = [_decode_raw(item, raw) for item, raw in zip(request.inputs, raws, strict=True)]
    names = [item.name for item in request.inputs]
    return dict(zip(_unique(names), arrays, strict=True))


def encode_infer_outputs(
    outputs: Mapping[str, NDArray[Any]], response: inference_pb2.ModelInferResponse
) -> None:
    """Add outputs to a KServe response as raw contents."""
    for name, array in outputs.items():
        response.outputs.add(name=name, datatype=datatype_of(array, name), shape=array.shape)
        response.raw_output_contents.append(encode_raw(array))


def encode_raw(array: NDArray[Any]) -> bytes:
    """Encode an array as KServe's raw bytes; BYTES elements get their length in front."""
    if array.dtype.kind not in "OSU":
        return array.astype(array.dtype.newbyteorder("="), copy=False).tobytes()
    values = [_as_bytes(value) for value in array.flat]
    parts = (len(value).to_bytes(_LENGTH_PREFIX_BYTES, "little") + value for value in values)
    return b"".join(parts)


def decode_raw(
    raw: bytes | memoryview, datatype: str, shape: Sequence[int], tensor: str
) -> NDArray[Any]:
    """Decode KServe's raw bytes; the array is a read-only view of them, BYTES excepted.

    Raises:
        InvalidTensor: the bytes do not fit datatype and shape.
    """
    return _from_raw(raw, get_datatype(datatype, tensor), _checked_shape(shape, tensor), tensor)


def decode_values(
    values: Sequence[Any], datatype: str, shape: Sequence[int], tensor: str
) -> NDArray[Any]:
    """Decode a flat list of typed values, as JSON and typed contents carry them.

    Raises:
        InvalidTensor: number, kind or range of the values do not fit datatype and shape.
    """
    shape = _checked_shape(shape, tensor)
    _check_count(len(values), shape, tensor, noun=" values")
    return _from_values(values, get_datatype(datatype, tensor), tensor).reshape(shape)


def _decode_typed(item: inference_pb2.ModelInferRequest.InferInputTensor) -> NDArray[Any]:
    datatype = get_datatype(item.datatype, item.name)
    _refuse_shared_memory(item)
    if not datatype.kserve_field:
        raise InvalidTensor(
            f"Invalid input precision - {datatype.name} has no typed contents, "
            f"send raw_input_contents; input name: {item.name}"
        )
    values = getattr(item.contents, datatype.kserve_field)
    return decode_values(values, item.datatype, item.shape, item.name)


def _decode_raw(item: inference_pb2.ModelInferRequest.InferInputTensor, raw: bytes) -> NDArray[Any]:
    return decode_raw(raw, item.datatype, item.shape, item.name)


def _check_raws(
    inputs: Sequence[inference_pb2.ModelInferRequest.InferInputTensor], raw_count: int
) -> None:
    for item in inputs:
        _refuse_shared_memory(item)
        if item.contents.ListFields():
            raise InvalidTensor(
                "Passing buffers both in ModelInferRequest::InferInputTensor::contents and in "
                "ModelInferRequest::raw_input_contents is not allowed"
            )
    if len(inputs) != raw_count:
        raise InvalidTensor(
            f"Invalid number of raw_input_contents - Expected: {len(inputs)}; Actual: {raw_count}"
        )


def _refuse_shared_memory(item: inference_pb2.ModelInferRequest.InferInputTensor) -> None:
    if "shared_memory_region" in item.parameters:
        raise InvalidTensor(
            f"Shared memory is not offered by this server, send the bytes; input name: {item.name}"
        )


def _from_raw(
    raw: bytes | memoryview, datatype: Datatype, shape: tuple[int, ...], tensor: str
) -> NDArray[Any]:
    if datatype is BYTES:
        values = list(_split_prefixed(raw, tensor))
        _check_count(len(values), shape, tensor, noun=" values")
        return _object_array(values).reshape(shape)
    expected = math.prod(shape) * datatype.dtype.itemsize
    if len(raw) != expected:
        raise InvalidTensor(
            f"Invalid content size of tensor proto - Expected: {expected} bytes; "
            f"Actual: {len(raw)} bytes; input name: {tensor}"
        )
    return np.frombuffer(raw, dtype=datatype.dtype).reshape(shape)


def _split_prefixed(raw: bytes | memoryview, tensor: str) -> Iterable[bytes]:
    view = memoryview(raw)
    start = 0
    while start < len(view):
        begin = start + _LENGTH_PREFIX_BYTES
        end = begin + int.from_bytes(view[start:begin], "little")
        if begin > len(view) or end > len(view):
            raise InvalidTensor(
                f"Invalid content size of tensor proto - Expected: {end} bytes; "
                f"Actual: {len(view)} bytes; input name: {tensor}"
            )
        yield bytes(view[begin:end])
        start = end


def _from_values(values: Sequence[Any], datatype: Datatype, tensor: str) -> NDArray[Any]:
    if datatype is BYTES:
        return _object_array([_as_bytes(value) for value in values])
    try:
        if datatype.tensorflow_field == "half_val" and not isinstance(values, list):
            return np.fromiter(values, np.uint16, len(values)).view(np.float16)
        return np.fromiter(values, datatype.dtype, len(values))
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidTensor(
            f"Invalid value in tensor - {datatype.name}: {error}; input name: {tensor}"
        ) from error


def _filled(value: NDArray[Any], shape: tuple[int, ...], tensor: str) -> NDArray[Any]:
    size_bytes = math.prod(shape) * value.dtype.itemsize
    if size_bytes > _MAX_FILL_BYTES:
        raise InvalidTensor(
            f"Invalid input shape - one value may fill {_MAX_FILL_BYTES} bytes, "
            f"not {size_bytes}; input name: {tensor}"
        )
    return np.full(shape, value[0], dtype=value.dtype)


def _object_array(values: Sequence[bytes]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _unique(names: Sequence[str]) -> Sequence[str]:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidTensor(f"Invalid number of inputs - input name sent twice: {twice}")
    return names


def _checked_shape(sizes: Iterable[int], tensor: str) -> tuple[int, ...]:
    shape = tuple(sizes)
    if any(size < 0 for size in shape):
        text = ",".join(str(size) for size in shape)
        raise InvalidTensor(
            f"Invalid input shape - Expected: dimensions of 0 and more; Actual: ({text}); "
            f"input name: {tensor}"
        )
    return shape


def _check_count(actual: int, shape: tuple[int, ...], tensor: str, *, noun: str) -> None:
    expected = math.prod(shape)
    if actual != expected:
        raise InvalidTensor(
            f"Invalid number of values in tensor proto container - Expected: {expected}{noun}; "
            f"Actual: {actual}{noun}; input name: {tensor}"
        )
