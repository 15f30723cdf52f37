"""Inference answers written as bytes: heads are kept, tensors follow them without a detour.

An answer is a list of buffers to be joined: what does not change between two requests comes from
the last of that shape, and the elements are copied once, into the message.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.datatypes import BYTES, datatype_of, get_datatype
from camfleet_contracts.protocols import inference_pb2, serving_pb2
from camfleet_contracts.tensors import encode_raw, encode_tensor_proto, write_shape
from camfleet_contracts.wire import Remembered

Buffer: TypeAlias = bytes | NDArray[Any]
SIGNATURE = "serving_default"

_RAW_OUTPUT = b"\x32"  # ModelInferResponse.raw_output_contents
_ID = b"\x1a"  # ModelInferResponse.id
_STREAMED = b"\x12"  # ModelStreamInferResponse.infer_response
_OUTPUT = b"\x0a"  # PredictResponse.outputs, and the key of an entry
_VALUE = b"\x12"  # the value of an entry
_CONTENT = b"\x22"  # TensorProto.tensor_content
_LOW, _MORE, _BITS = 0x7F, 0x80, 7

_Shapes: TypeAlias = tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]


class _Key(NamedTuple):
    """What decides about everything but the elements."""

    model: str
    version: int
    shapes: _Shapes


def varint(number: int) -> bytes:
    """Write a number as protobuf does."""
    if number < _MORE:
        return number.to_bytes(1, "little")
    out = bytearray()
    while number >= _MORE:
        out.append(number & _LOW | _MORE)
        number >>= _BITS
    out.append(number)
    return bytes(out)


def joined(answer: list[Buffer]) -> bytes:
    """Make one message of an answer."""
    return b"".join(answer)  # type: ignore[arg-type] # arrays are buffers, numpy says from 3.12 on


def infer_answer(
    model: str, version: int, outputs: Mapping[str, NDArray[Any]], request_id: bytes = b""
) -> list[Buffer]:
    """Write a ModelInferResponse, outputs as raw contents."""
    head, prefixes = _infer_layout(_key(model, version, outputs))
    parts: list[Buffer] = [head]
    if request_id:
        parts += (_ID, varint(len(request_id)), request_id)
    for prefix, array in zip(prefixes, outputs.values(), strict=True):
        if prefix:
            parts += (prefix, elements(array))
        else:
            raw = encode_raw(array)
            parts += (_RAW_OUTPUT, varint(len(raw)), raw)
    return parts


def streamed(answer: list[Buffer]) -> list[Buffer]:
    """Make an answer one of a stream: a ModelStreamInferResponse."""
    size = sum(part.nbytes if isinstance(part, np.ndarray) else len(part) for part in answer)
    return [_STREAMED, varint(size), *answer]


def predict_answer(model: str, version: int, outputs: Mapping[str, NDArray[Any]]) -> list[Buffer]:
    """Write a PredictResponse, outputs as tensor_content, texts as string_val."""
    prefixes, tail = _predict_layout(_key(model, version, outputs))
    parts: list[Buffer] = []
    for prefix, (name, array) in zip(prefixes, outputs.items(), strict=True):
        parts += (prefix, elements(array)) if prefix else (_text_entry(name, array),)
    parts.append(tail)
    return parts


def _key(model: str, version: int, outputs: Mapping[str, NDArray[Any]]) -> _Key:
    shapes = tuple((name, array.dtype, array.shape) for name, array in outputs.items())
    return _Key(model, version, shapes)


def elements(array: NDArray[Any]) -> NDArray[Any]:
    """Give an array that can be written as it lies: itself, or a copy in rows and native order."""
    if array.flags.c_contiguous and array.dtype.isnative:
        return array
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def _lay_out_infer(key: _Key) -> tuple[bytes, tuple[bytes, ...]]:
    head = inference_pb2.ModelInferResponse(model_name=key.model, model_version=str(key.version))
    prefixes = []
    for name, dtype, shape in key.shapes:
        datatype = datatype_of(np.empty(0, dtype), name)
        head.outputs.add(name=name, datatype=datatype, shape=shape)
        size = math.prod(shape) * dtype.itemsize
        prefixes.append(b"" if datatype == BYTES.name else _RAW_OUTPUT + varint(size))
    return head.SerializeToString(), tuple(prefixes)


def _lay_out_predict(key: _Key) -> tuple[tuple[bytes, ...], bytes]:
    prefixes = tuple(_content_prefix(*shape) for shape in key.shapes)
    spec = serving_pb2.ModelSpec(name=key.model, signature_name=SIGNATURE)
    spec.version.value = key.version
    return prefixes, serving_pb2.PredictResponse(model_spec=spec).SerializeToString()


def _content_prefix(name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Write everything of an entry that comes before the elements."""
    datatype = get_datatype(datatype_of(np.empty(0, dtype), name), name)
    if datatype is BYTES:
        return b""
    size = math.prod(shape) * dtype.itemsize
    tensor = write_shape(datatype, shape).SerializeToString()
    tensor += _CONTENT + varint(size) if size else b""
    key = name.encode()
    entry = _OUTPUT + varint(len(key)) + key + _VALUE + varint(len(tensor) + size) + tensor
    return _OUTPUT + varint(len(entry) + size) + entry


def _text_entry(name: str, array: NDArray[Any]) -> bytes:
    response = serving_pb2.PredictResponse()
    response.outputs[name].CopyFrom(encode_tensor_proto(array, name))
    return response.SerializeToString()


_infer_layout = Remembered(_lay_out_infer)
_predict_layout = Remembered(_lay_out_predict)
