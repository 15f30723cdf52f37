"""ONNX Runtime: ONNX on the CPU, on NVIDIA through CUDA, or through its TensorRT provider."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_server.cpu_share import read_cpu_share
from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.base import LoadError, ModelSource
from camfleet_server.runtimes.copies import Arrays, Copies, CopiesServable, check_batch
from camfleet_server.runtimes.headers.onnx_graph import external_files
from camfleet_server.runtimes.mapping import read_mapping
from camfleet_server.runtimes.ports import Ports
from camfleet_server.runtimes.wishes import (
    find_files,
    log_cpu_fall_back,
    read_bytes,
    refuse_changes,
)
from camfleet_server.types import TensorSpec

# From 1.29 on its builds for Linux report models and machine to a web service unless told not to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # noqa: TID251 - no setting of ours: the vendor reads it

import onnxruntime as ort

_NAME = "onnxruntime"
_CPU, _CUDA, _TENSORRT = "CPU", "CUDA", "TENSORRT"
_PROVIDERS = {
    _CPU: "CPUExecutionProvider",
    _CUDA: "CUDAExecutionProvider",
    _TENSORRT: "TensorrtExecutionProvider",
}
_DEVICES = {"GPU": _CUDA, "NVIDIA": _CUDA, "TENSORRT_FP16": _TENSORRT}
_AT_ONCE = 2  # one infers while another is read in or copied out
_ERRORS_ONLY = 3  # old files cause hundreds of lines of warnings
_DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


class OnnxRuntime:
    """Opens a session a version; files of the volume are read into memory, never mapped."""

    def __init__(self) -> None:
        self._cpu = read_cpu_share()

    def load(self, source: ModelSource) -> CopiesServable:
        """Load for the wished device, else for CUDA where it is there, else for the CPU.

        Raises:
            LoadError: says which file and why.
        """
        path = find_files(source, _NAME).model
        refuse_changes(source, _NAME)
        session, device = self._open(path, source)
        ports = _read_ports(session, path)
        check_batch(source, ports, _NAME)
        copy = _Session(session, ports)
        copies = [copy] * (source.config.nireq or _AT_ONCE)
        served = ports.renamed(read_mapping(source.folder))
        # A device may stay in a fault; on the CPU every run has its memory and sizes to itself.
        return CopiesServable(Copies(_NAME, device, served, copies, keeps_nothing=device == _CPU))

    def devices(self) -> dict[str, dict[str, str]]:
        """Return the devices that have a provider here, and of the others why not."""
        return {device: _told(_missing(device)) for device in _PROVIDERS}

    def _open(self, path: Path, source: ModelSource) -> tuple[Any, str]:
        content = read_bytes(path)
        device = _choose_device(source)
        if device != _CPU:
            try:
                session = self._session(content, path, source, device)
                if _PROVIDERS[device] in session.get_providers():
                    return session, device
                reason: object = f"the {device} provider could not start; see its message above"
            except LoadError as error:
                reason = error
            log_cpu_fall_back(source, device, reason)
        return self._session(content, path, source, _CPU), _CPU

    def _session(self, content: bytes, path: Path, source: ModelSource, device: str) -> Any:
        options = ort.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = self._cpu.threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            kept = _add_weights(options, content, path)
            session = ort.InferenceSession(content, options, providers=_providers(source, device))
        # ONNX Runtime raises classes that have no common base of their own.
        except Exception as error:
            raise LoadError(f"{path.name} on {_NAME} {device}: {_first_line(error)}") from error
        del kept  # the session has its own copy from here on
        return session


class _Session:
    """A session; many threads may run it at once."""

    def __init__(self, session: Any, ports: Ports) -> None:
        self._run = session.run
        self._names = [spec.name for spec in ports.inputs]
        self._outputs = [spec.name for spec in ports.outputs]

    def infer(self, inputs: Arrays, wanted: Sequence[int]) -> Arrays:
        feeds = {n: _as_texts(n, a) for n, a in zip(self._names, inputs, strict=True)}
        answer = self._run([self._outputs[position] for position in wanted], feeds)
        return [_as_bytes(array) for array in answer]

    def close(self) -> None:
        self._run = _closed


def _choose_device(source: ModelSource) -> str:
    wished = source.device.upper()
    if wished in {"", "AUTO"}:
        return _CPU if _missing(_CUDA) else _CUDA
    device = _DEVICES.get(wished, wished)
    reason = _missing(device)
    if reason:
        log_cpu_fall_back(source, source.device, reason)
    return _CPU if reason else device


def _missing(device: str) -> str:
    """Why a device is not here, "" where it is."""
    if device not in _PROVIDERS:
        return f"{_NAME} runs on {', '.join(_PROVIDERS)}"
    if _PROVIDERS[device] in ort.get_available_providers():
        return ""
    return f"this {_NAME} has no {_PROVIDERS[device]}; the package onnxruntime-gpu has"


def _told(reason: str) -> dict[str, str]:
    return {"reason": reason} if reason else {}


def _providers(source: ModelSource, device: str) -> list[Any]:
    """The provider of the device, and those that take what it cannot compute."""
    is_exact = source.manifest.precision == "f32"
    cuda = (_PROVIDERS[_CUDA], {"use_tf32": "0" if is_exact else "1"})
    chosen: list[Any] = [_PROVIDERS[_CPU]]
    if device in {_CUDA, _TENSORRT}:
        chosen.insert(0, cuda)
    if device == _TENSORRT:
        chosen.insert(0, (_PROVIDERS[_TENSORRT], _tensorrt_options(source)))
    return chosen


def _tensorrt_options(source: ModelSource) -> Mapping[str, str]:
    is_half = source.manifest.precision == "f16" or source.device.upper() == "TENSORRT_FP16"
    options = {"trt_fp16_enable": "1" if is_half else "0"}
    if source.cache_dir:
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(source.cache_dir),
        }
    return options


def _add_weights(options: Any, content: bytes, path: Path) -> list[bytes]:
    """Hand over the weights that lie in files of their own, which would be mapped otherwise."""
    names = external_files(content)
    for name in names:
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise LoadError(f"the weights {name!r} lie outside the folder of {path.name}")
    contents = [read_bytes(path.parent / name) for name in names]
    if names:
        sizes = [len(held) for held in contents]
        options.add_external_initializers_from_files_in_memory(names, contents, sizes)
    return contents


def _read_ports(session: Any, path: Path) -> Ports:
    inputs = tuple(_spec(value, path) for value in session.get_inputs())
    outputs = tuple(_spec(value, path) for value in session.get_outputs())
    if not inputs:
        raise LoadError(f"{path.name}: the model has no inputs")
    return Ports(inputs, outputs)


def _spec(value: Any, path: Path) -> TensorSpec:
    datatype = _DATATYPES.get(value.type)
    if datatype is None:
        raise LoadError(
            f"{path.name}: tensor {value.name!r} has type {value.type}, which cannot be sent over "
            "the wire"
        )
    shape = (size if isinstance(size, int) and size >= 0 else -1 for size in value.shape)
    return TensorSpec(value.name, datatype, tuple(shape))


def _as_texts(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return texts as the library takes them; raises InvalidInput for bytes that are none."""
    if array.dtype != object:
        return array
    try:
        texts = [item.decode() if isinstance(item, bytes) else item for item in array.flat]
    except UnicodeDecodeError as error:
        raise InvalidInput(f"input '{name}' - Expected: UTF-8; Actual: {error}") from error
    return np.array(texts, object).reshape(array.shape)


def _as_bytes(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype != object:
        return array
    texts = [item.encode() if isinstance(item, str) else item for item in array.flat]
    return np.array(texts, object).reshape(array.shape)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:400]


def _closed(*_: Any) -> Any:
    raise LoadError("the version was unloaded meanwhile")
