"""TensorRT engines (.engine, .plan, .trt) through its named-tensor API, which came with 8.5."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorrt as trt
from numpy.typing import NDArray

from camfleet_contracts.datatypes import get_datatype
from camfleet_server.runtimes.base import LoadError, ModelSource
from camfleet_server.runtimes.copies import Arrays, Copies, CopiesServable, check_batch
from camfleet_server.runtimes.mapping import read_mapping
from camfleet_server.runtimes.ports import Ports
from camfleet_server.runtimes.tensorrt.cuda import Buffer, CudaError, Stream, require_gpu
from camfleet_server.runtimes.wishes import find_files, read_bytes, refuse_changes
from camfleet_server.types import TensorSpec

_NAME = "tensorrt"
_AT_ONCE = 2  # one infers while another is copied to or from the GPU
_PROFILE = 0
_DATATYPES = {
    "FLOAT": "FP32",
    "HALF": "FP16",
    "INT8": "INT8",
    "INT32": "INT32",
    "INT64": "INT64",
    "UINT8": "UINT8",
    "BOOL": "BOOL",
}


class TensorRtRuntime:
    """Reads engines; each request that may run at once has a context, a stream and buffers."""

    def __init__(self) -> None:
        require_gpu()
        self._log = _Log()
        self._runtime = trt.Runtime(self._log)

    def load(self, source: ModelSource) -> CopiesServable:
        """Load onto the GPU; an engine runs nowhere else.

        Raises:
            LoadError: says which file and why; most often it was built for another GPU or version.
        """
        path = find_files(source, _NAME).model
        refuse_changes(source, _NAME)
        self._log.last = ""
        engine = self._runtime.deserialize_cuda_engine(read_bytes(path))
        if engine is None:
            raise LoadError(
                f"{path.name} cannot be read by TensorRT {trt.__version__}: {self._log.last}; an "
                "engine runs on the kind of GPU and the version it was built with"
            )
        ports = _read_ports(engine, path.name)
        check_batch(source, ports, _NAME)
        try:
            copies = [_Context(engine, ports) for _ in range(source.config.nireq or _AT_ONCE)]
        except CudaError as error:
            raise LoadError(f"{path.name} on {_NAME}: {error}") from error
        served = ports.renamed(read_mapping(source.folder))
        return CopiesServable(Copies("TensorRT", "CUDA", served, copies))

    def devices(self) -> dict[str, dict[str, str]]:
        """Return the one it has."""
        return {"CUDA": {}}


class _Log(trt.ILogger):  # type: ignore[misc] # the vendor has no types
    """Keeps the last error: TensorRT says why only there."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self.last = ""

    def log(self, severity: Any, message: str) -> None:
        """Take a message; TensorRT calls it by this name."""
        if severity in {trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR}:
            self.last = message


class _Context:
    """An execution context; one request at a time."""

    def __init__(self, engine: Any, ports: Ports) -> None:
        self._context = engine.create_execution_context()
        if self._context is None:
            raise LoadError("TensorRT has no memory for another context; lower nireq")
        self._inputs, self._outputs = ports.inputs, ports.outputs
        self._stream = Stream()
        self._buffers = {spec.name: Buffer() for spec in (*ports.inputs, *ports.outputs)}

    def infer(self, inputs: Arrays, wanted: Sequence[int]) -> Arrays:
        for spec, array in zip(self._inputs, inputs, strict=True):
            if not self._context.set_input_shape(spec.name, array.shape):
                raise CudaError(f"TensorRT refuses shape {list(array.shape)} of {spec.name!r}")
            self._reserve(spec.name, array.nbytes)
            self._stream.upload(array, self._buffers[spec.name])
        answers = [self._prepared(spec) for spec in self._outputs]
        if not self._context.execute_async_v3(stream_handle=self._stream.handle):
            raise CudaError("TensorRT could not start the inference")
        for position in wanted:
            buffer = self._buffers[self._outputs[position].name]
            self._stream.download(buffer, answers[position])
        self._stream.synchronize()
        return [answers[position] for position in wanted]

    def close(self) -> None:
        self._context = None
        for buffer in self._buffers.values():
            buffer.close()
        self._stream.close()

    def _prepared(self, spec: TensorSpec) -> NDArray[Any]:
        """Memory for an output, here and on the GPU; its shape follows from those of the inputs."""
        shape = tuple(self._context.get_tensor_shape(spec.name))
        if any(size < 0 for size in shape):
            raise CudaError(
                f"the shape of output {spec.name!r} depends on what is seen, {list(shape)}; build "
                "the engine with a fixed number of rows"
            )
        answer = np.empty(shape, get_datatype(spec.datatype, spec.name).dtype)
        self._reserve(spec.name, answer.nbytes)
        return answer

    def _reserve(self, name: str, size_bytes: int) -> None:
        buffer = self._buffers[name]
        buffer.reserve(max(1, size_bytes))
        if not self._context.set_tensor_address(name, buffer.address):
            raise CudaError(f"TensorRT refuses the memory of {name!r}")


def _read_ports(engine: Any, file: str) -> Ports:
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    specs = {name: _spec(engine, name, file) for name in names}
    is_input = {n: engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT for n in names}
    inputs = tuple(specs[name] for name in names if is_input[name])
    if not inputs:
        raise LoadError(f"{file}: the engine has no inputs")
    return Ports(inputs, tuple(specs[name] for name in names if not is_input[name]))


def _spec(engine: Any, name: str, file: str) -> TensorSpec:
    kind = engine.get_tensor_dtype(name).name
    if kind not in _DATATYPES:
        raise LoadError(
            f"{file}: tensor {name!r} has type {kind}, which cannot be sent over the wire; build "
            "the engine with FP32 or FP16 inputs and outputs"
        )
    shape = tuple(int(size) for size in engine.get_tensor_shape(name))
    ranges = {}
    if -1 in shape and engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
        smallest, _, largest = engine.get_tensor_profile_shape(name, _PROFILE)
        bounds = enumerate(zip(smallest, largest, strict=True))
        ranges = {axis: (int(a), int(b)) for axis, (a, b) in bounds if shape[axis] < 0}
    return TensorSpec(name, _DATATYPES[kind], shape, ranges)
