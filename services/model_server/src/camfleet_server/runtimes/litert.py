"""LiteRT: TFLite files, also those with operators that OpenVINO cannot convert."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from camfleet_server.cpu_share import read_cpu_share
from camfleet_server.runtimes.base import LoadError, ModelSource
from camfleet_server.runtimes.copies import Arrays, Copies, CopiesServable, check_batch
from camfleet_server.runtimes.mapping import read_mapping
from camfleet_server.runtimes.ports import Ports
from camfleet_server.runtimes.wishes import (
    find_files,
    log_cpu_fall_back,
    read_bytes,
    refuse_changes,
)
from camfleet_server.types import TensorSpec

_NAME = "litert"
_CPU = "CPU"
_DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}


class LiteRt:
    """An interpreter serves one thread, so there are as many as requests may run at once."""

    def __init__(self) -> None:
        self._cpu = read_cpu_share()

    def load(self, source: ModelSource) -> CopiesServable:
        """Load for the CPU; other devices fall back to it.

        Raises:
            LoadError: says which file and why.
        """
        path = find_files(source, _NAME).model
        refuse_changes(source, _NAME)
        if source.device.upper() not in {"", "AUTO", _CPU}:
            log_cpu_fall_back(source, source.device, "LiteRT runs on the CPU here")
        content = read_bytes(path)
        copies = [
            _Interpreter(content, path, self._cpu.threads) for _ in range(source.config.nireq or 1)
        ]
        ports = copies[0].read_ports()
        check_batch(source, ports, _NAME)
        served = ports.renamed(read_mapping(source.folder))
        return CopiesServable(Copies("LiteRT", _CPU, served, copies))

    def devices(self) -> dict[str, dict[str, str]]:
        """Return the one it has."""
        return {"CPU": {}}


class _Interpreter:
    """One interpreter with its tensors; the file's content is kept, it reads its weights there."""

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        try:
            self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise LoadError(f"{path.name} on {_NAME}: {_first_line(error)}") from error
        self._path = path
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    def read_ports(self) -> Ports:
        """Names, types and shapes as the file has them."""
        if not self._inputs:
            raise LoadError(f"{self._path.name}: the model has no inputs")
        inputs = tuple(map(self._spec, self._inputs))
        return Ports(inputs, tuple(map(self._spec, self._outputs)))

    def infer(self, inputs: Arrays, wanted: Sequence[int]) -> Arrays:
        interpreter = self._interpreter
        resized = False
        for detail, array in zip(self._inputs, inputs, strict=True):
            if tuple(detail["shape"]) != array.shape:
                interpreter.resize_tensor_input(detail["index"], array.shape)
                resized = True
        if resized:
            interpreter.allocate_tensors()
            self._inputs = interpreter.get_input_details()
        for detail, array in zip(self._inputs, inputs, strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return [interpreter.get_tensor(self._outputs[i]["index"]) for i in wanted]

    def close(self) -> None:
        self._interpreter = None

    def _spec(self, detail: Any) -> TensorSpec:
        kind = np.dtype(detail["dtype"]).name
        if kind not in _DATATYPES:
            raise LoadError(
                f"{self._path.name}: tensor {detail['name']!r} has type {kind}, which LiteRT does "
                "not take from us"
            )
        signature = detail["shape_signature"]
        shape = signature if len(signature) else detail["shape"]
        return TensorSpec(detail["name"], _DATATYPES[kind], tuple(int(size) for size in shape))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:400]
