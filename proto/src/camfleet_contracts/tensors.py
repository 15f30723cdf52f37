"""Tensors between numpy and the wire: TensorFlow Serving's TensorProto and KServe's tensors.

Inside camfleet a BYTES tensor is an array of dtype object whose elements are ``bytes``.
Decoded arrays are read-only views of the message's bytes wherever that is possible.
"""

import math
from collections.abc import Iterable, Sequence
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
    "RawTensor",
    "datatype_of",
    "decode_contents",
    "decode_raw",
    "decode_tensor_proto",
    "decode_values",
    "encode_raw",
    "encode_tensor_proto",
    "find_datatype",
    "get_datatype",
    "raw_tensor_of",
    "write_shape",
]

_LENGTH_PREFIX_BYTES = 4
_MAX_FILL_BYTES = 1 << 28  # what one broadcast value may grow to
_MAX_RANK = 32
_MAX_ELEMENTS = 1 << 40  # of an empty tensor, were none of its dimensions 0


class RawTensor:
    """A tensor whose elements come as bytes; made once, it decodes any number of contents."""

    __slots__ = ("_datatype", "_dtype", "_name", "_shape", "_size_bytes")

    def __init__(self, name: str, datatype: Datatype, shape: Sequence[int]) -> None:
        """Check the shape.

        Raises:
            InvalidTensor: a dimension is negative.
        """
        self._name = name
        self._datatype = datatype
        self._dtype = datatype.dtype
        self._shape = _checked_shape(shape, name)
        is_open = datatype is BYTES
        self._size_bytes = -1 if is_open else math.prod(self._shape) * self._dtype.itemsize

    def decode(self, raw: bytes | memoryview) -> NDArray[Any]:
        """Return the elements as a read-only view of `raw`, BYTES excepted.

        Raises:
            InvalidTensor: the bytes do not fit datatype and shape.
        """
        if len(raw) == self._size_bytes:
            return np.frombuffer(raw, self._dtype).reshape(self._shape)
        if self._datatype is not BYTES:
            raise InvalidTensor(
                f"Invalid content size of tensor proto - Expected: {self._size_bytes} bytes; "
                f"Actual: {len(raw)} bytes; input name: {self._name}"
            )
        values = list(_split_prefixed(raw, self._name))
        _check_count(len(values), self._shape, self._name, noun=" values")
        return _object_array(values).reshape(self._shape)


def raw_tensor_of(proto: tensorflow_pb2.TensorProto, tensor: str) -> RawTensor:
    """Read datatype and shape of a TensorProto whose content came apart from it.

    Raises:
        InvalidTensor: it cannot have any content.
    """
    datatype, shape = _described(proto, tensor)
    if datatype is BYTES:
        raise InvalidTensor(f"String val is empty - input name: {tensor}")
    return RawTensor(tensor, datatype, shape)


def decode_tensor_proto(proto: tensorflow_pb2.TensorProto, tensor: str) -> NDArray[Any]:
    """Decode a TensorProto from its bytes or its typed values; one value fills the shape.

    Raises:
        InvalidTensor: datatype, shape and content do not fit each other.
    """
    if proto.tensor_content:
        return raw_tensor_of(proto, tensor).decode(proto.tensor_content)
    datatype, shape = _described(proto, tensor)
    values = getattr(proto, datatype.tensorflow_field)
    if len(values) == 1 and math.prod(shape) > 1:
        return _filled(_from_values(values, datatype, tensor), shape, tensor)
    try:
        _check_count(len(values), shape, tensor, noun="")
    except InvalidTensor as error:
        raise _with_place(error, proto, datatype.tensorflow_field, datatype) from None
    return _from_values(values, datatype, tensor).reshape(shape)


def encode_tensor_proto(array: NDArray[Any], tensor: str = "") -> tensorflow_pb2.TensorProto:
    """Encode an array as a TensorProto; everything but texts goes as ``tensor_content``."""
    datatype = get_datatype(datatype_of(array, tensor), tensor)
    proto = write_shape(datatype, array.shape)
    if datatype is BYTES:
        proto.string_val.extend(_as_bytes(value) for value in array.flat)
    else:
        proto.tensor_content = array.astype(datatype.dtype, copy=False).tobytes()
    return proto


def write_shape(datatype: Datatype, shape: Sequence[int]) -> tensorflow_pb2.TensorProto:
    """Write datatype and shape of a tensor, elements still missing."""
    proto = tensorflow_pb2.TensorProto()
    proto.dtype = datatype.tensorflow  # type: ignore[assignment] # an int is what it holds
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def decode_contents(
    item: inference_pb2.ModelInferRequest.InferInputTensor
    | inference_pb2.ModelInferResponse.InferOutputTensor,
) -> NDArray[Any]:
    """Decode the typed contents of a KServe input or output.

    Raises:
        InvalidTensor: contents are missing or do not fit datatype and shape.
    """
    datatype = get_datatype(item.datatype, item.name)
    if not datatype.kserve_field:
        raise InvalidTensor(
            f"Invalid input precision - {datatype.name} has no typed contents, "
            f"send raw_input_contents; input name: {item.name}"
        )
    values = getattr(item.contents, datatype.kserve_field)
    try:
        return decode_values(values, item.datatype, item.shape, item.name)
    except InvalidTensor as error:
        raise _with_place(error, item.contents, datatype.kserve_field, datatype) from None


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
    return RawTensor(tensor, get_datatype(datatype, tensor), shape).decode(raw)


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


def _with_place(
    error: InvalidTensor,
    message: tensorflow_pb2.TensorProto | inference_pb2.InferTensorContents,
    field: str,
    datatype: Datatype,
) -> InvalidTensor:
    """Add to a wrong number of typed values that those which came are in another field."""
    names = [descriptor.name for descriptor, _ in message.ListFields()]
    filled = [name for name in names if name.endswith(("_val", "_contents"))]
    if not filled or field in filled:
        return error
    return InvalidTensor(f"{error}; {datatype.name} goes into {field}, not into {filled[0]}")


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


def _described(proto: tensorflow_pb2.TensorProto, tensor: str) -> tuple[Datatype, tuple[int, ...]]:
    datatype = get_tensorflow_datatype(proto.dtype, tensor)
    if proto.tensor_shape.unknown_rank:
        raise InvalidTensor(f"Invalid input shape - the rank is not given; input name: {tensor}")
    return datatype, _checked_shape([dim.size for dim in proto.tensor_shape.dim], tensor)


def _checked_shape(sizes: Iterable[int], tensor: str) -> tuple[int, ...]:
    shape = tuple(sizes)
    if len(shape) > _MAX_RANK:
        raise InvalidTensor(
            f"Invalid number of shape dimensions - Expected: at most {_MAX_RANK}; "
            f"Actual: {len(shape)}; input name: {tensor}"
        )
    is_too_large = 0 in shape and math.prod(size or 1 for size in shape) > _MAX_ELEMENTS
    if is_too_large or any(size < 0 for size in shape):
        text = ",".join(str(size) for size in shape)
        raise InvalidTensor(
            "Invalid input shape - Expected: dimensions of 0 and more"
            f"{', not so large' if is_too_large else ''}; Actual: ({text}); input name: {tensor}"
        )
    return shape


def _check_count(actual: int, shape: tuple[int, ...], tensor: str, *, noun: str) -> None:
    expected = math.prod(shape)
    if actual != expected:
        raise InvalidTensor(
            f"Invalid number of values in tensor proto container - Expected: {expected}{noun}; "
            f"Actual: {actual}{noun}; input name: {tensor}"
        )
