"""OpenVINO: IR, ONNX, TFLite, frozen TensorFlow graphs and SavedModels."""

import logging
from pathlib import Path
from typing import Any

from camfleet_server.runtimes._openvino_api import ov
from camfleet_server.runtimes._openvino_files import find_model_file
from camfleet_server.runtimes._openvino_ports import read_ports
from camfleet_server.runtimes._openvino_servable import OpenVinoServable
from camfleet_server.runtimes._openvino_shapes import apply_config
from camfleet_server.runtimes.base import LoadError, ModelSource

logger = logging.getLogger(__name__)


class OpenVinoRuntime:
    """Reads and compiles; files of the volume are copied into memory, never mapped."""

    def __init__(self) -> None:
        self._core = ov.Core()
        self._core.set_property({"ENABLE_MMAP": False})

    def load(self, source: ModelSource) -> OpenVinoServable:
        """Load a version for the device config.json asks for, else for the CPU.

        Raises:
            LoadError: says which file and why.
        """
        path = find_model_file(source.folder, source.manifest.model_file)
        model = self._read(path)
        try:
            model = apply_config(model, source.config)
            ports = read_ports(model)
        except RuntimeError as error:
            raise LoadError(f"{path.name}: {_first_lines(error)}") from error
        compiled, device = self._compile(model, path, source)
        return OpenVinoServable(compiled, ports, device, source.config.nireq)

    def _read(self, path: Path) -> Any:
        try:
            return self._core.read_model(path)
        except RuntimeError as error:
            raise LoadError(f"{path.name} cannot be read: {_first_lines(error)}") from error

    def _compile(self, model: Any, path: Path, source: ModelSource) -> tuple[Any, str]:
        device = source.config.target_device or "CPU"
        properties = _compile_properties(source)
        try:
            return self._core.compile_model(model, device, properties), device
        except RuntimeError as error:
            if device == "CPU":
                raise LoadError(f"{path.name} on CPU: {_first_lines(error)}") from error
            logger.warning(
                "falls back to CPU model=%s version=%s device=%s reason=%s",
                source.name,
                source.version,
                device,
                _first_lines(error),
            )
        return self._compile_for_cpu(model, path, properties)

    def _compile_for_cpu(
        self, model: Any, path: Path, properties: dict[str, Any]
    ) -> tuple[Any, str]:
        known = set(self._core.get_property("CPU", "SUPPORTED_PROPERTIES"))
        kept = {key: value for key, value in properties.items() if key in known}
        try:
            return self._core.compile_model(model, "CPU", kept), "CPU"
        except RuntimeError as error:
            raise LoadError(f"{path.name} on CPU: {_first_lines(error)}") from error


def _compile_properties(source: ModelSource) -> dict[str, Any]:
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if source.manifest.precision != "default":
        properties["INFERENCE_PRECISION_HINT"] = source.manifest.precision
    if source.cache_dir and source.config.target_device not in {"", "CPU"}:
        properties["CACHE_DIR"] = str(source.cache_dir)
    return properties | source.config.plugin_config


def _first_lines(error: Exception) -> str:
    """Shorten OpenVINO's text: source positions of its own code say nothing to a user."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith("Exception from src/")]
    return " ".join(told or lines)[:400]
