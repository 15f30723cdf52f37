"""OpenVINO: IR, ONNX, TFLite, frozen TensorFlow graphs and SavedModels."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.cpu_share import read_cpu_share
from camfleet_server.runtimes.base import LoadError, ModelSource, PictureInput, picture_specs
from camfleet_server.runtimes.mapping import TensorMapping, read_mapping
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.batch import open_batch
from camfleet_server.runtimes.openvino.compile import Compiler, first_lines
from camfleet_server.runtimes.openvino.images import with_pictures, without_values
from camfleet_server.runtimes.openvino.outline import Outline, outline_of
from camfleet_server.runtimes.openvino.ports import read_ports, shape_of
from camfleet_server.runtimes.openvino.servable import OpenVinoServable
from camfleet_server.runtimes.openvino.shapes import apply_config
from camfleet_server.runtimes.openvino.texts import first_ports, with_plain_ports
from camfleet_server.runtimes.openvino.trial import BatchBakedIn, try_batches, with_own_batch
from camfleet_server.runtimes.ports import Ports
from camfleet_server.runtimes.wishes import find_files


class OpenVinoRuntime:
    """Reads and compiles; files of the volume are copied into memory, never mapped."""

    def __init__(self) -> None:
        self._core = ov.Core()
        self._core.set_property({"ENABLE_MMAP": False})
        self._compiler = Compiler(self._core, read_cpu_share())

    def load(self, source: ModelSource) -> OpenVinoServable:
        """Load a version for the device config.json asks for, else for the CPU.

        Raises:
            LoadError: says which file and why.
        """
        try:
            return self._load(source)
        except BatchBakedIn as error:
            return self.load(with_own_batch(source, error))

    def _load(self, source: ModelSource) -> OpenVinoServable:
        path = find_files(source, "openvino").model
        mapping = read_mapping(source.folder)
        model = self._read(path)
        own = [shape_of(port) for port in model.inputs]
        for_values = without_values(source.config)
        as_read = model.clone() if source.manifest.preprocess and for_values else None
        model, ports = _configured(model, path, source, source.config, mapping)
        outline = _outline_of(model, ports)
        compiled = self._compiler.compile(model, path, source)
        servable = OpenVinoServable(compiled, ports, source.config.nireq, outline)
        try_batches(servable, own)
        if as_read is not None and for_values is not None:
            model, ports = _configured(as_read, path, source, for_values, mapping)
        if source.manifest.preprocess:
            servable.picture_inputs = ports.inputs
            servable.take_pictures = partial(self._take_pictures, model, ports, path, source)
        return servable

    def devices(self) -> dict[str, dict[str, Any]]:
        """Return OpenVINO's devices with their names and capabilities."""
        return {
            device: {
                "name": self._core.get_property(device, "FULL_DEVICE_NAME"),
                "capabilities": sorted(
                    self._core.get_property(device, "OPTIMIZATION_CAPABILITIES")
                ),
            }
            for device in self._core.available_devices
        }

    def _take_pictures(
        self, model: Any, ports: Ports, path: Path, source: ModelSource, picture: PictureInput
    ) -> OpenVinoServable:
        """Compile a copy of the model with what pictures need in front of it."""
        taken = replace(ports, inputs=picture_specs(ports.inputs, picture))
        number = first_ports(ports.inputs)[picture.name]
        model = with_pictures(model, number, picture)
        outline = _outline_of(model, taken)
        compiled = self._compiler.compile(model, path, source)
        return OpenVinoServable(compiled, taken, source.config.nireq, outline)

    def _read(self, path: Path) -> Any:
        try:
            return self._core.read_model(path)
        except RuntimeError as error:
            raise LoadError(
                f"{path.name} cannot be read by OpenVINO: {first_lines(error)}"
            ) from error


def _configured(
    model: Any, path: Path, source: ModelSource, config: ModelConfig, mapping: TensorMapping
) -> tuple[Any, Ports]:
    try:
        model = apply_config(model, config, mapping)
        if source.manifest.batching:
            open_batch(model, config)
        ports = read_ports(model).renamed(mapping)
        return with_plain_ports(model), ports
    except RuntimeError as error:
        raise LoadError(f"{path.name}: {first_lines(error)}") from error


def _outline_of(model: Any, ports: Ports) -> Outline | None:
    """None where sizes are fixed, or texts are: their sizes do not tell those of the graph."""
    has_texts = any(spec.datatype == "BYTES" for spec in ports.inputs)
    return None if has_texts else outline_of(model)
