"""Inference requests of one input written as bytes: heads are kept, elements are copied once."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.datatypes import BYTES, datatype_of
from camfleet_contracts.protocols import inference_pb2
from camfleet_contracts.tensors import encode_raw
from camfleet_contracts.wire import Remembered
from camfleet_contracts.wire_answers import Buffer, elements, joined, varint

_RAW_INPUT = b"\x3a"  # ModelInferRequest.raw_input_contents


class _Head(NamedTuple):
    """What decides about everything but the elements."""

    model: str
    version: str
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    segment: str


def infer_request(model: str, version: str, name: str, tensor: NDArray[Any]) -> bytes:
    """Write a ModelInferRequest with its elements; version "" leaves the choice to the server.

    Raises:
        InvalidTensor: no datatype has such elements.
    """
    head = _heads(_Head(model, version, name, tensor.dtype, tensor.shape, ""))
    if datatype_of(tensor, name) == BYTES.name:
        raw: Buffer = encode_raw(tensor)
        return joined([head, _RAW_INPUT, varint(len(raw)), raw])
    return joined([head, _RAW_INPUT, varint(tensor.nbytes), elements(tensor)])


def shared_infer_request(
    model: str, version: str, name: str, tensor: NDArray[Any], segment: str
) -> bytes:
    """Write a ModelInferRequest whose elements lie at the beginning of a segment the server knows.

    Raises:
        InvalidTensor: no datatype has such elements.
    """
    return _heads(_Head(model, version, name, tensor.dtype, tensor.shape, segment))


def _write_head(head: _Head) -> bytes:
    request = inference_pb2.ModelInferRequest(model_name=head.model, model_version=head.version)
    empty = np.empty(0, head.dtype)
    tensor = request.inputs.add(
        name=head.name, datatype=datatype_of(empty, head.name), shape=head.shape
    )
    if head.segment:
        size = math.prod(head.shape) * head.dtype.itemsize
        tensor.parameters["shared_memory_region"].string_param = head.segment
        tensor.parameters["shared_memory_byte_size"].int64_param = size
    return request.SerializeToString()


_heads = Remembered(_write_head)
