"""Hailo: .hef files through HailoRT's InferModel API, which came with 4.17."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hailo_platform as hailo
import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_server.runtimes.base import LoadError, ModelSource, VendorMissing
from camfleet_server.runtimes.copies import Arrays, Copies, CopiesServable
from camfleet_server.runtimes.mapping import read_mapping
from camfleet_server.runtimes.ports import Ports
from camfleet_server.runtimes.wishes import find_files, read_bytes, refuse_changes
from camfleet_server.types import TensorSpec

_NAME = "hailo"
_TIMEOUT_MS = 10_000
_DATATYPES = {"UINT8": "UINT8", "UINT16": "UINT16", "FLOAT32": "FP32"}
_AUTO = "AUTO"
_FLOATS = "FLOAT32"
_BOX = 5  # y_min, x_min, y_max, x_max, score
_BY_CLASS = ("HAILO_NMS", "HAILO_NMS_BY_CLASS")
_GROUP = "SHARED"  # processes that ask for it share the device


class HailoRuntime:
    """One virtual device for all models; HailoRT's own scheduler lets them take turns."""

    def __init__(self) -> None:
        params = hailo.VDevice.create_params()
        params.scheduling_algorithm = hailo.HailoSchedulingAlgorithm.ROUND_ROBIN
        params.group_id = _GROUP
        try:
            self._device = hailo.VDevice(params)
        except hailo.HailoRTException as error:
            raise VendorMissing(f"no Hailo device answers: {error}") from error

    def load(self, source: ModelSource) -> CopiesServable:
        """Load onto the device.

        Raises:
            LoadError: says which file and why.
        """
        path = find_files(source, _NAME).model
        refuse_changes(source, _NAME)
        if source.manifest.batching:
            raise LoadError(
                "batching: hailo infers frame by frame; take `batching` out of model.json"
            )
        try:
            copy = _Model(self._device, path, source.manifest)
        except hailo.HailoRTException as error:
            raise LoadError(f"{path.name} on {_NAME}: {error}") from error
        served = copy.ports.renamed(read_mapping(source.folder))
        return CopiesServable(Copies("HailoRT", "HAILO", served, [copy]))

    def devices(self) -> dict[str, dict[str, str]]:
        """Return the one it has."""
        return {"HAILO": {}}


class _Model:
    """A configured model, made of the content of its file, which is not looked at again."""

    def __init__(self, device: Any, path: Path, manifest: ModelManifest) -> None:
        self._model = device.create_infer_model(read_bytes(path))
        infos = self._model.hef.get_output_vstream_infos()
        self._nms = {info.name: info.nms_shape for info in infos if _is_nms(info)}
        inputs = tuple(self._spec(edge, _input_type(manifest)) for edge in self._model.inputs)
        outputs = tuple(self._spec(edge, _output_type(manifest)) for edge in self._model.outputs)
        self.ports = Ports(inputs, outputs)
        self._context = self._model.configure()
        self._configured = self._context.__enter__()

    def infer(self, inputs: Arrays, wanted: Sequence[int]) -> Arrays:
        bindings = self._configured.create_bindings()
        for spec, array in zip(self.ports.inputs, inputs, strict=True):
            bindings.input(spec.name).set_buffer(np.ascontiguousarray(array[0]))
        for spec in self.ports.outputs:
            shape = tuple(self._model.output(spec.name).shape)
            dtype = get_datatype(spec.datatype, spec.name).dtype
            bindings.output(spec.name).set_buffer(np.empty(shape, dtype))
        self._configured.run([bindings], _TIMEOUT_MS)
        return [self._answer(bindings, self.ports.outputs[position]) for position in wanted]

    def close(self) -> None:
        self._context.__exit__(None, None, None)
        self._model = self._configured = None

    def _spec(self, edge: Any, asked: str) -> TensorSpec:
        """Set the type of an input or output, and tell it with a batch of one."""
        nms = self._nms.get(edge.name)
        kind = _FLOATS if nms is not None else asked
        if kind == _AUTO:
            kind = edge.format.type.name
        if kind not in _DATATYPES:
            raise LoadError(
                f"{edge.name!r} of the .hef has type {kind}; set input_format or output_format in "
                f"model.json to one of {', '.join(_DATATYPES)}"
            )
        edge.set_format_type(getattr(hailo.FormatType, kind))
        shape = tuple(int(size) for size in edge.shape)
        if nms is not None:
            shape = (int(nms.number_of_classes), int(nms.max_bboxes_per_class), _BOX)
        return TensorSpec(edge.name, _DATATYPES[kind], (1, *shape))

    def _answer(self, bindings: Any, spec: TensorSpec) -> NDArray[Any]:
        """One output with a batch of one; of boxes by class (1, C, N, 5), zeros where none is."""
        held = bindings.output(spec.name).get_buffer()
        if spec.name not in self._nms:
            return np.asarray(held)[None]
        boxes = np.zeros(spec.shape, np.float32)
        for number, found in enumerate(held):
            rows = np.asarray(found, np.float32).reshape(-1, _BOX)
            boxes[0, number, : len(rows)] = rows
        return boxes


def _is_nms(info: Any) -> bool:
    order: str = info.format.order.name
    if "NMS" in order and order not in _BY_CLASS:
        raise LoadError(f"output {info.name!r} of the .hef is ordered {order}; compile it by class")
    return order in _BY_CLASS


def _input_type(manifest: ModelManifest) -> str:
    return _type(manifest.input_format, is_quantised=manifest.quantize_input is not False)


def _output_type(manifest: ModelManifest) -> str:
    return _type(manifest.output_format, is_quantised=manifest.quantize_output is not False)


def _type(asked: str, *, is_quantised: bool) -> str:
    """The device's own numbers where clients send and read those, else floats that it converts."""
    return asked.upper().removeprefix("HAILO_FORMAT_TYPE_") or (_AUTO if is_quantised else _FLOATS)
