"""The placeholders of a frozen TensorFlow graph (graph.proto), which are its inputs."""

from camfleet_contracts.protobuf_wire import messages, number_of, text_of
from camfleet_server.types import TensorSpec

_NODE = 1  # of GraphDef
_NAME, _OP, _ATTR = 1, 2, 5  # of NodeDef
_TYPE, _SHAPE = 6, 7  # of AttrValue
_DATATYPES = {1: "FP32", 2: "FP64", 3: "INT32", 4: "UINT8", 6: "INT8", 9: "INT64", 19: "FP16"}
_SIGN_BIT = 1 << 63
_PICTURES = (1, -1, -1, -1)


def read_placeholders(content: bytes) -> tuple[TensorSpec, ...]:
    """Return the inputs; four open dimensions where the graph gives no shape.

    Raises:
        BadMessage: it is not a graph.
    """
    nodes = messages(memoryview(content), _NODE)
    return tuple(_spec(node) for node in nodes if text_of(node, _OP) == "Placeholder")


def _spec(node: memoryview) -> TensorSpec:
    attributes = {
        text_of(entry, 1): next(messages(entry, 2), memoryview(b""))
        for entry in messages(node, _ATTR)
    }
    empty = memoryview(b"")
    kind = number_of(attributes.get("dtype", empty), _TYPE) or 1
    shape = next(messages(attributes.get("shape", empty), _SHAPE), empty)
    sizes = [number_of(dimension, 1) or 0 for dimension in messages(shape, 2)]
    known = tuple(-1 if size >= _SIGN_BIT else size for size in sizes)
    return TensorSpec(text_of(node, _NAME), _DATATYPES.get(kind, "unknown"), known or _PICTURES)
