"""Fakes of `tensorrt` and `cuda.bindings.runtime`, by the signatures that NVIDIA documents.

They refuse what the vendor refuses: an inference without shapes or addresses, memory that was never
allocated, copies beyond its end, results read before the stream was waited for. An engine file is
JSON: {"tensors": [{name, mode, dtype, shape, profile?}], "factor": f}; outputs are the first input
times the factor.
"""

import ctypes
import json
import sys
from enum import Enum, IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

_TYPES = {"FLOAT": np.float32, "HALF": np.float16, "INT32": np.int32, "UINT8": np.uint8}


class Gpu:
    """Memory by address, and what is queued."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.memory: dict[int, Any] = {}
        self.queued: list[Any] = []
        self.streams: set[int] = set()
        self.next_stream = 7

    def cudaGetDeviceCount(self) -> tuple[int, ...]:  # noqa: N802 - the vendor's name
        return (0, self.count) if self.count else (100, 0)

    def cudaGetErrorString(self, code: Any) -> tuple[int, bytes]:  # noqa: N802 - the vendor's name
        texts = {2: b"out of memory", 100: b"no CUDA-capable device is detected"}
        return 0, texts.get(int(code), b"invalid argument")

    def cudaStreamCreate(self) -> tuple[int, int]:  # noqa: N802 - the vendor's name
        self.next_stream += 1
        self.streams.add(self.next_stream)
        return 0, self.next_stream

    def cudaStreamDestroy(self, stream: int) -> tuple[int]:  # noqa: N802 - the vendor's name
        self.streams.remove(stream)
        return (0,)

    def cudaMalloc(self, size: int) -> tuple[int, int]:  # noqa: N802 - the vendor's name
        if size > 1 << 30:
            return 2, 0
        block = ctypes.create_string_buffer(size)
        self.memory[ctypes.addressof(block)] = block
        return 0, ctypes.addressof(block)

    def cudaFree(self, address: int) -> tuple[int]:  # noqa: N802 - the vendor's name
        del self.memory[address]
        return (0,)

    def cudaMemcpyAsync(  # noqa: N802 - the vendor's name
        self, target: int, source: int, size: int, kind: Any, stream: int
    ) -> tuple[int]:
        on_gpu = target if kind is Kind.cudaMemcpyHostToDevice else source
        block = self.memory.get(on_gpu)
        if block is None or size > len(block) or stream not in self.streams:
            return (1,)
        self.queued.append(lambda: ctypes.memmove(target, source, size))
        return (0,)

    def cudaStreamSynchronize(self, stream: int) -> tuple[int]:  # noqa: N802 - the vendor's name
        assert stream in self.streams
        queued, self.queued = self.queued, []
        for work in queued:
            work()
        return (0,)


class Kind(Enum):
    cudaMemcpyHostToDevice = 1  # noqa: N815 - the vendor's name
    cudaMemcpyDeviceToHost = 2  # noqa: N815 - the vendor's name


class Mode(Enum):
    INPUT = 1
    OUTPUT = 2


class Severity(IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class ILogger:
    INTERNAL_ERROR, ERROR, WARNING = Severity

    def __init__(self) -> None:
        self.is_made = True


class Engine:
    def __init__(self, told: dict[str, Any], gpu: Gpu) -> None:
        self.told, self.gpu = told, gpu
        self.tensors = {tensor["name"]: tensor for tensor in told["tensors"]}
        self.num_io_tensors = len(self.tensors)

    def get_tensor_name(self, number: int) -> str:
        return str(list(self.tensors)[number])

    def get_tensor_mode(self, name: str) -> Mode:
        return Mode[self.tensors[name]["mode"]]

    def get_tensor_dtype(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(name=self.tensors[name]["dtype"])

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.tensors[name]["shape"])

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        assert self.get_tensor_mode(name) is Mode.INPUT
        assert profile == 0
        return [tuple(shape) for shape in self.tensors[name]["profile"]]

    def create_execution_context(self) -> "Context | None":
        return None if self.told.get("no_memory") else Context(self)


class Context:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        declared = self.engine.get_tensor_shape(name)
        if len(shape) != len(declared):
            return False
        self.shapes[name] = tuple(shape)
        return all(d in (-1, s) for d, s in zip(declared, shape, strict=True))

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        declared = self.engine.get_tensor_shape(name)
        if self.engine.tensors[name].get("depends"):
            return declared
        batch = next(iter(self.shapes.values()), declared)[0]
        return tuple(batch if size < 0 else size for size in declared)

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert name in self.engine.tensors
        self.addresses[name] = address
        return address in self.engine.gpu.memory

    def execute_async_v3(self, stream_handle: int) -> bool:
        engine = self.engine
        inputs = [n for n in engine.tensors if engine.get_tensor_mode(n) is Mode.INPUT]
        if set(self.addresses) != set(engine.tensors) or set(self.shapes) != set(inputs):
            return False
        if stream_handle not in engine.gpu.streams:
            return False
        engine.gpu.queued.append(self._run)
        return True

    def _run(self) -> None:
        engine, first = self.engine, next(iter(self.shapes))
        given = self._view(first, self.shapes[first])
        for name in engine.tensors:
            if engine.get_tensor_mode(name) is Mode.OUTPUT:
                answer = self._view(name, self.get_tensor_shape(name))
                answer[...] = (given * engine.told["factor"]).reshape(answer.shape)

    def _view(self, name: str, shape: tuple[int, ...]) -> Any:
        block = self.engine.gpu.memory[self.addresses[name]]
        dtype = np.dtype(_TYPES[self.engine.tensors[name]["dtype"]])
        count = int(np.prod(shape))
        assert count * dtype.itemsize <= len(block)
        return np.frombuffer(block, dtype, count).reshape(shape)


def install(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> None:
    """Put the fakes where the imports look."""

    class Runtime:
        def __init__(self, logger: ILogger) -> None:
            assert logger.is_made, "ILogger.__init__ was not called"
            self.logger: Any = logger

        def deserialize_cuda_engine(self, content: bytes) -> Engine | None:
            assert isinstance(content, bytes)
            try:
                return Engine(json.loads(content), gpu)
            except ValueError:
                self.logger.log(Severity.ERROR, "Error Code 1: magicTag does not match")
                return None

    def module(name: str, **held: Any) -> ModuleType:
        made = ModuleType(name)
        made.__dict__.update(held)
        monkeypatch.setitem(sys.modules, name, made)
        return made

    calls = {name: getattr(gpu, name) for name in dir(gpu) if name.startswith("cuda")}
    cudart = module("cuda.bindings.runtime", cudaMemcpyKind=Kind, **calls)
    bindings = module("cuda.bindings", runtime=cudart)
    module("cuda", bindings=bindings)
    held = {"Runtime": Runtime, "ILogger": ILogger, "TensorIOMode": Mode, "__version__": "10.0"}
    module("tensorrt", **held)
    for name in ("cuda", "runtime"):
        forget_module(monkeypatch, f"camfleet_server.runtimes.tensorrt.{name}")


def forget_module(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let it be imported anew, now and after the test."""
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    del sys.modules[name]
