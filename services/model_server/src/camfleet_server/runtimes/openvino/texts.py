"""Texts into a model and out of it: all bytes in a row, and where each begins and ends.

OpenVINO's tensors of texts are made from numpy's and read as such, where every text takes the room
of the longest and loses the zeros at its end. So ports of texts become three plain ones each.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.types import TensorSpec

_MOST_BYTES = 2**31 - 1  # places are counted in int32
_PORTS_OF_TEXTS = 3
_opset = ov.opset15


def with_plain_ports(model: Any) -> Any:
    """Return the model with begins, ends and bytes in place of each port of texts."""
    if not any(_holds_texts(port) for port in (*model.inputs, *model.outputs)):
        return model
    parameters = [new for port in model.inputs for new in _plain_inputs(port)]
    results = [new for port in model.outputs for new in _plain_outputs(port)]
    return ov.Model(results, model.get_sinks(), parameters, model.get_name())


def first_ports(specs: Iterable[TensorSpec]) -> dict[str, int]:
    """Return the number of the first plain port of each tensor."""
    numbers, at = {}, 0
    for spec in specs:
        numbers[spec.name] = at
        at += _PORTS_OF_TEXTS if spec.datatype == "BYTES" else 1
    return numbers


def split_texts(name: str, array: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return begins, ends and bytes of a tensor of texts.

    Raises:
        InvalidInput: there is none, which OpenVINO cannot take, or they are too many bytes.
    """
    if not array.size:
        raise InvalidInput(f"input '{name}' - Expected: one text or more; Actual: none")
    texts = [bytes(text, "utf-8") if isinstance(text, str) else text for text in array.flat]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    if ends[-1] > _MOST_BYTES:
        raise InvalidInput(
            f"input '{name}' - Expected: texts of up to {_MOST_BYTES} bytes together; "
            f"Actual: {ends[-1]} bytes"
        )
    begins = np.concatenate([[0], ends[:-1]])
    places = (side.astype(np.int32).reshape(array.shape) for side in (begins, ends))
    return (*places, np.frombuffer(b"".join(texts), np.uint8))


def join_texts(
    begins: NDArray[np.int32], ends: NDArray[np.int32], content: NDArray[np.uint8]
) -> NDArray[Any]:
    """Make a tensor of texts, each as bytes."""
    whole = content.tobytes()
    texts = np.empty(begins.size, object)
    texts[:] = [whole[b:e] for b, e in zip(begins.flat, ends.flat, strict=True)]
    return texts.reshape(begins.shape)


def _holds_texts(port: Any) -> bool:
    return bool(port.get_element_type() == ov.Type.string)


def _plain_inputs(port: Any) -> list[Any]:
    if not _holds_texts(port):
        return [port.node]
    shape = port.get_partial_shape()
    places = [_opset.parameter(shape, np.int32) for _ in range(2)]
    content = _opset.parameter(ov.PartialShape([-1]), np.uint8)
    packed = _opset.string_tensor_pack(*places, content)
    for target in list(port.get_target_inputs()):
        target.replace_source_output(packed.output(0))
    return [*places, content]


def _plain_outputs(port: Any) -> list[Any]:
    if not _holds_texts(port):
        return [port.node]
    unpacked = _opset.string_tensor_unpack(port.node.input_value(0))
    return [_opset.result(side) for side in unpacked.outputs()]
