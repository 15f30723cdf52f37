"""Names, types and shapes of a model's inputs and outputs, as its file has them.

They are read before compilation: a compiled port may carry several names and forget which was its
own. OpenVINO 2026 keeps the file's name as the friendly name of the node at the border.
"""

import sys
from collections.abc import Sequence
from typing import Any

from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.ports import Ports
from camfleet_server.types import TensorSpec

_DATATYPES = {
    ov.Type.boolean: "BOOL",
    ov.Type.u8: "UINT8",
    ov.Type.u16: "UINT16",
    ov.Type.u32: "UINT32",
    ov.Type.u64: "UINT64",
    ov.Type.i8: "INT8",
    ov.Type.i16: "INT16",
    ov.Type.i32: "INT32",
    ov.Type.i64: "INT64",
    ov.Type.f16: "FP16",
    ov.Type.f32: "FP32",
    ov.Type.f64: "FP64",
    ov.Type.string: "BYTES",
}


def read_ports(model: Any) -> Ports:
    """Read the ports of an uncompiled model.

    Raises:
        LoadError: it has no inputs, or a type or rank that cannot be served.
    """
    if not model.inputs:
        raise LoadError("the model has no inputs")
    inputs, input_aliases = _read_side(model.inputs, _input_candidates)
    outputs, output_aliases = _read_side(model.outputs, _output_candidates)
    return Ports(inputs, outputs, input_aliases, output_aliases)


def _read_side(
    ports: Sequence[Any], candidates_of: Any
) -> tuple[tuple[TensorSpec, ...], dict[str, str]]:
    specs: list[TensorSpec] = []
    aliases: dict[str, str] = {}
    for port in ports:
        name = _own_name(port, candidates_of(port), {spec.name for spec in specs})
        specs.append(TensorSpec(name, _datatype(port, name), shape_of(port), _ranges(port)))
        aliases |= dict.fromkeys(port.names, name)
    own_names = {spec.name for spec in specs}
    return tuple(specs), {a: name for a, name in aliases.items() if a not in own_names}


def _input_candidates(port: Any) -> list[str]:
    return [port.node.get_friendly_name()]


def _output_candidates(port: Any) -> list[str]:
    result = port.node
    producer = result.input_value(0).get_node()
    return [
        result.get_friendly_name().split("/sink_port_")[0],
        producer.get_friendly_name(),
    ]


def _own_name(port: Any, candidates: list[str], taken: set[str]) -> str:
    others = sorted(port.names, key=lambda name: (len(name), name))
    known: list[str] = [name for name in candidates if name in port.names] + others + candidates
    for name in known:
        if name not in taken:
            return name
    return f"{known[0]}:{len(taken)}"


def _datatype(port: Any, name: str) -> str:
    datatype: str | None = _DATATYPES.get(port.get_element_type())
    if datatype is None:
        kind = port.get_element_type().get_type_name()
        raise LoadError(f"tensor {name!r} has type {kind}, which cannot be sent over the wire")
    return datatype


def shape_of(port: Any) -> tuple[int, ...]:
    """Return the sizes of a port, -1 where it leaves one open."""
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return (-1,)
    return tuple(d.get_length() if d.is_static else -1 for d in shape)


def _ranges(port: Any) -> dict[int, tuple[int, int]]:
    shape = port.get_partial_shape()
    sizes = [] if shape.rank.is_dynamic else [(d.get_min_length(), d) for d in shape]
    return {
        axis: (low, high if (high := d.get_max_length()) > 0 else sys.maxsize)
        for axis, (low, d) in enumerate(sizes)
        if d.is_dynamic and (low > 1 or d.get_max_length() > 0)
    }
