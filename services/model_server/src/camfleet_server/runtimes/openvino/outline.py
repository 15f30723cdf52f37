"""Whether sizes fit through a graph, worked out before it is asked.

A compiled model that meets sizes its graph cannot take answers nobody any more; one that infers in
one thread does not even fail, but reads and writes beyond its tensors. OpenVINO's own shape
inference tells both beforehand, and needs no weights for it.
"""

import math
import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.compile import first_lines

Sizes: TypeAlias = tuple[tuple[int, ...], ...]

_SMALL = 256  # elements of a constant that may stand for sizes or axes, and is no weight
_REMEMBERED = 1024


class Outline:
    """The graph of a model without its weights; any thread may ask."""

    def __init__(self, model: Any) -> None:
        """Copy the graph of an uncompiled model, which stays as it is."""
        self._graph = _without_weights(model)
        self._names = [port.any_name for port in model.inputs]
        self._faults: dict[Sizes, str] = {}  # empty where they fit
        self._lock = threading.Lock()

    def check(self, sizes: Sizes) -> None:
        """Check the shapes of all inputs, in the order of the file.

        Raises:
            InvalidInput: they do not fit through the graph.
        """
        fault = self._faults.get(sizes)
        if fault is None:
            fault = self._work_out(sizes)
        if fault:
            told = ", ".join(f"{n} {list(s)}" for n, s in zip(self._names, sizes, strict=True))
            raise InvalidInput(
                f"Invalid input shape - {told} do not fit the model's graph: {fault}"
            )

    def _work_out(self, sizes: Sizes) -> str:
        with self._lock:
            try:
                # Not Model.reshape(): it first makes graphs fit that the compiled one does not.
                for parameter, size in zip(self._graph.get_parameters(), sizes, strict=False):
                    parameter.set_partial_shape(ov.PartialShape(list(size)))
                self._graph.validate_nodes_and_infer_types()
                fault = ""
            except RuntimeError as error:
                fault = first_lines(error) or "its operations refuse them"
            if len(self._faults) >= _REMEMBERED:
                self._faults.clear()
            self._faults[sizes] = fault
            return fault


def outline_of(model: Any) -> Outline | None:
    """Return the outline of a model with open sizes; None where all are fixed."""
    shapes = [port.get_partial_shape() for port in model.inputs]
    return Outline(model) if any(shape.is_dynamic for shape in shapes) else None


def _without_weights(model: Any) -> Any:
    graph = model.clone()
    stand_ins = []
    for node in graph.get_ops():
        if node.get_type_name() == "Constant" and _is_weight(node.get_output_shape(0)):
            stand_in = ov.opset13.parameter(
                list(node.get_output_shape(0)), node.get_output_element_type(0)
            )
            node.output(0).replace(stand_in.output(0))
            stand_ins.append(stand_in)
    graph.add_parameters(stand_ins)
    return graph


def _is_weight(shape: Sequence[int]) -> bool:
    return math.prod(shape) > _SMALL
