"""Compiles a model for its device: for lone requests at once, for crowds when they come."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from camfleet_server.cpu_share import CpuShare
from camfleet_server.runtimes.base import LoadError, ModelSource
from camfleet_server.runtimes.openvino.api import apply_moc_transformations
from camfleet_server.runtimes.wishes import log_cpu_fall_back

_CPU = "CPU"
_SOURCE = "Exception from src/"
_NOISE = re.compile(r"^\[ov::.* CALLBACK HAS THROWN: ")  # the node in words of OpenVINO's own
_OWN_STREAMS = ("PERFORMANCE_HINT", "NUM_STREAMS", "INFERENCE_NUM_THREADS")
"""Who sets one of these in plugin_config has decided for himself; there is one compilation then."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled model, the device it is for, and how to compile it otherwise (None: never)."""

    model: Any
    device: str
    for_crowd: Callable[[], Any] | None = None
    for_one_thread: Callable[[], Any] | None = None


class Compiler:
    """Compiles with one core; may be used from any thread."""

    def __init__(self, core: Any, cpu: CpuShare) -> None:
        self._core = core
        self._cpu = cpu

    def compile(self, model: Any, path: Path, source: ModelSource) -> Compiled:
        """Compile for few requests at once; the model itself is changed, not what it computes.

        Raises:
            LoadError: neither the wanted device nor the CPU could.
        """
        properties = self._properties(source)
        is_for_crowds = self._may_serve_crowds(source)
        if is_for_crowds:
            _share_constants(model, path)
        compiled, device, kept = self._with_fall_back(model, path, source, properties)

        def otherwise(**changed: Any) -> Callable[[], Any]:
            return partial(self._compile, model, device, kept | changed, path)

        may_choose = device == _CPU and self._has_choice(source)
        return Compiled(
            compiled,
            device,
            for_crowd=otherwise(PERFORMANCE_HINT="THROUGHPUT") if is_for_crowds else None,
            for_one_thread=otherwise(INFERENCE_NUM_THREADS=1) if may_choose else None,
        )

    def _may_serve_crowds(self, source: ModelSource) -> bool:
        return source.for_crowds and self._has_choice(source)

    def _has_choice(self, source: ModelSource) -> bool:
        has_decided = bool(set(_OWN_STREAMS) & source.config.plugin_config.keys())
        is_one_stream = source.device in {"", _CPU} and self._cpu.threads == 1
        return not has_decided and not is_one_stream

    def _with_fall_back(
        self, model: Any, path: Path, source: ModelSource, properties: dict[str, Any]
    ) -> tuple[Any, str, dict[str, Any]]:
        device = source.device or _CPU
        try:
            return self._compile(model, device, properties, path), device, properties
        except LoadError as error:
            if device == _CPU:
                raise
            log_cpu_fall_back(source, device, error)
        known = set(self._core.get_property(_CPU, "SUPPORTED_PROPERTIES"))
        kept = {key: value for key, value in properties.items() if key in known}
        kept = self._threads() | kept
        return self._compile(model, _CPU, kept, path), _CPU, kept

    def _compile(self, model: Any, device: str, properties: dict[str, Any], path: Path) -> Any:
        try:
            return self._core.compile_model(model, device, properties)
        except RuntimeError as error:
            raise LoadError(f"{path.name} on {device}: {first_lines(error)}") from error

    def _properties(self, source: ModelSource) -> dict[str, Any]:
        properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if source.manifest.precision != "default":
            properties["INFERENCE_PRECISION_HINT"] = source.manifest.precision
        if source.device in {"", _CPU}:
            properties |= self._threads()
        elif source.cache_dir:
            properties["CACHE_DIR"] = str(source.cache_dir)
        return properties | source.config.plugin_config

    def _threads(self) -> dict[str, Any]:
        """Let threads run on any core: one that is bound waits for it while others are idle."""
        properties: dict[str, Any] = {"ENABLE_CPU_PINNING": False}
        if self._cpu.is_limited:
            properties["INFERENCE_NUM_THREADS"] = self._cpu.threads
        return properties


def _share_constants(model: Any, path: Path) -> None:
    """Do once what each compilation would do to a copy, so that both share folded weights."""
    try:
        apply_moc_transformations(model, cf=False)
    except RuntimeError as error:
        raise LoadError(f"{path.name}: {first_lines(error)}") from error


def first_lines(error: Exception) -> str:
    """Shorten OpenVINO's text: source positions of its own code say nothing to a user."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [_NOISE.sub("", line) for line in lines if line and not line.startswith(_SOURCE)]
    return " ".join(told or lines)[:400]
