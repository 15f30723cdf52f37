"""Inputs, outputs and weight files of an ONNX file, read from its header (onnx.proto)."""

from collections.abc import Iterator

from camfleet_contracts.protobuf_wire import (
    BadMessage,
    messages,
    number_of,
    text_of,
)
from camfleet_server.types import TensorSpec

_GRAPH = 7  # of ModelProto
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12  # of GraphProto
_TENSOR_NAME, _EXTERNAL_DATA, _LOCATION = 8, 13, 14  # of TensorProto
_IS_EXTERNAL = 1
_DATATYPES = {
    1: "FP32",
    2: "UINT8",
    3: "INT8",
    4: "UINT16",
    5: "INT16",
    6: "INT32",
    7: "INT64",
    8: "BYTES",
    9: "BOOL",
    10: "FP16",
    11: "FP64",
    12: "UINT32",
    13: "UINT64",
}


def read_graph(content: bytes) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Return inputs and outputs in the order of the file; weights listed as inputs are left out.

    Raises:
        BadMessage: it is not an ONNX file.
    """
    graph = _graph(content)
    weights = {text_of(tensor, _TENSOR_NAME) for tensor in messages(graph, _INITIALIZER)}
    inputs = (_spec(value) for value in messages(graph, _INPUT))
    outputs = tuple(_spec(value) for value in messages(graph, _OUTPUT))
    return tuple(spec for spec in inputs if spec.name not in weights), outputs


def external_files(content: bytes) -> list[str]:
    """Return the files that hold weights, as the model names them; none where it holds all."""
    try:
        return sorted(set(_locations(_graph(content))))
    except BadMessage:
        return []  # the runtime says what is wrong with it


def _graph(content: bytes) -> memoryview:
    graph = next(messages(memoryview(content), _GRAPH), None)
    if graph is None:
        raise BadMessage("it holds no graph")
    return graph


def _locations(graph: memoryview) -> Iterator[str]:
    for tensor in messages(graph, _INITIALIZER):
        if number_of(tensor, _LOCATION) == _IS_EXTERNAL:
            for entry in messages(tensor, _EXTERNAL_DATA):
                if text_of(entry, 1) == "location":
                    yield text_of(entry, 2)


def _spec(value: memoryview) -> TensorSpec:
    """Read a ValueInfoProto: name, and the type of a tensor."""
    tensor = memoryview(b"")
    for kind in messages(value, 2):
        tensor = next(messages(kind, 1), tensor)
    datatype = _DATATYPES.get(number_of(tensor, 1) or 0, "unknown")
    shape = next(messages(tensor, 2), memoryview(b""))
    sizes = (number_of(dimension, 1) for dimension in messages(shape, 1))
    return TensorSpec(text_of(value, 1), datatype, tuple(size or -1 for size in sizes))
