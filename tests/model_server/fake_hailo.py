"""A fake of `hailo_platform`, by the signatures that Hailo documents for its InferModel API.

It refuses what the vendor refuses: formats set after configuring, buffers of another shape or type,
a run without all buffers or outside the context. A .hef is JSON of "inputs" and "outputs" with
name, shape, type, order and perhaps nms: [classes, boxes]; outputs are filled with 1.
"""

import json
import sys
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from fake_tensorrt import forget_module

_TYPES = {"UINT8": np.uint8, "UINT16": np.uint16, "FLOAT32": np.float32}


class HailoRTException(Exception):
    pass


class FormatType(Enum):
    AUTO = 0
    UINT8 = 1
    UINT16 = 2
    FLOAT32 = 3


class Edge:
    def __init__(self, told: dict[str, Any]) -> None:
        self.name, self.shape = told["name"], tuple(told["shape"])
        self.nms = told.get("nms")
        order = SimpleNamespace(name=told.get("order", "NHWC"))
        self.format = SimpleNamespace(type=FormatType[told.get("type", "UINT8")], order=order)
        self.is_configured = False

    def set_format_type(self, kind: FormatType) -> None:
        if self.is_configured:
            raise HailoRTException("the format is set before configure()")
        self.format.type = FormatType(kind)


class Binding:
    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.buffer: Any = None

    def set_buffer(self, buffer: Any) -> None:
        dtype = _TYPES[self.edge.format.type.name]
        if (
            buffer.shape != self.edge.shape
            or buffer.dtype != dtype
            or not buffer.flags.c_contiguous
        ):
            raise HailoRTException(f"a buffer of {self.edge.shape} {dtype} is wanted")
        self.buffer = buffer

    def get_buffer(self) -> Any:
        if self.edge.nms is None:
            return self.buffer
        classes, _ = self.edge.nms
        found = np.array([[0.1, 0.2, 0.3, 0.4, 0.9]], np.float32)
        return [found if number == 1 else found[:0] for number in range(classes)]


class Bindings:
    def __init__(self, model: "InferModel") -> None:
        self.inputs = {edge.name: Binding(edge) for edge in model.inputs}
        self.outputs = {edge.name: Binding(edge) for edge in model.outputs}

    def input(self, name: str) -> Binding:
        return self.inputs[name]

    def output(self, name: str) -> Binding:
        return self.outputs[name]


class Configured:
    def __init__(self, model: "InferModel") -> None:
        self.model = model
        self.is_open = False

    def __enter__(self) -> Self:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def create_bindings(self) -> Bindings:
        return Bindings(self.model)

    def run(self, bindings: list[Bindings], timeout: int) -> None:
        assert timeout > 0
        if not self.is_open:
            raise HailoRTException("the model is not configured")
        for bound in bindings:
            held = [*bound.inputs.values(), *bound.outputs.values()]
            if any(binding.buffer is None for binding in held):
                raise HailoRTException("a buffer is missing")
            for binding in bound.outputs.values():
                binding.buffer.fill(1)


class InferModel:
    def __init__(self, told: dict[str, Any]) -> None:
        self.inputs = [Edge(edge) for edge in told["inputs"]]
        self.outputs = [Edge(edge) for edge in told["outputs"]]
        self.hef = self

    def output(self, name: str) -> Edge:
        return next(edge for edge in self.outputs if edge.name == name)

    def get_output_vstream_infos(self) -> list[Any]:
        shapes = {
            e.name: e.nms
            and SimpleNamespace(number_of_classes=e.nms[0], max_bboxes_per_class=e.nms[1])
            for e in self.outputs
        }
        return [
            SimpleNamespace(name=e.name, format=e.format, nms_shape=shapes[e.name])
            for e in self.outputs
        ]

    def configure(self) -> Configured:
        for edge in (*self.inputs, *self.outputs):
            edge.is_configured = True
        return Configured(self)


def install(monkeypatch: pytest.MonkeyPatch, *, devices: int = 1) -> None:
    """Put the fake where the import looks."""

    class VDevice:
        def __init__(self, params: Any) -> None:
            assert params.scheduling_algorithm == "ROUND_ROBIN"
            if not devices:
                raise HailoRTException("HAILO_OUT_OF_PHYSICAL_DEVICES(74)")

        @staticmethod
        def create_params() -> SimpleNamespace:
            return SimpleNamespace(scheduling_algorithm="NONE", group_id="")

        def create_infer_model(self, source: str | bytes, network_name: str = "") -> InferModel:
            assert isinstance(source, bytes)
            try:
                return InferModel(json.loads(source))
            except ValueError as error:
                raise HailoRTException("HAILO_INVALID_HEF(26)") from error

    made = ModuleType("hailo_platform")
    algorithms = SimpleNamespace(ROUND_ROBIN="ROUND_ROBIN")
    held = {"VDevice": VDevice, "FormatType": FormatType, "HailoRTException": HailoRTException}
    made.__dict__.update(held, HailoSchedulingAlgorithm=algorithms)
    monkeypatch.setitem(sys.modules, "hailo_platform", made)
    forget_module(monkeypatch, "camfleet_server.runtimes.hailo")
