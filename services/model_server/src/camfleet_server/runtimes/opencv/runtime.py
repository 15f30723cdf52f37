"""OpenCV's DNN module: Caffe, Darknet, Torch, TensorFlow graphs, ONNX, TFLite in FP32."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.model_files import ModelFiles
from camfleet_server.cpu_share import read_cpu_share
from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.base import LoadError, ModelSource
from camfleet_server.runtimes.copies import Arrays, Copies, CopiesServable
from camfleet_server.runtimes.mapping import read_mapping
from camfleet_server.runtimes.opencv.described import Described, describe
from camfleet_server.runtimes.opencv.importers import read_net, told
from camfleet_server.runtimes.ports import Ports
from camfleet_server.runtimes.wishes import find_files, log_cpu_fall_back, refuse_changes
from camfleet_server.types import TensorSpec

_NAME = "opencv"
_CPU, _OPENCL = "CPU", "OPENCL"
_TARGETS = {
    _CPU: (cv2.dnn.DNN_BACKEND_OPENCV, cv2.dnn.DNN_TARGET_CPU),
    _OPENCL: (cv2.dnn.DNN_BACKEND_OPENCV, cv2.dnn.DNN_TARGET_OPENCL),
    "CUDA": (cv2.dnn.DNN_BACKEND_CUDA, cv2.dnn.DNN_TARGET_CUDA),
    "CUDA_FP16": (cv2.dnn.DNN_BACKEND_CUDA, cv2.dnn.DNN_TARGET_CUDA_FP16),
}
_DEVICES = {"": _CPU, "AUTO": _CPU, "GPU": _OPENCL}
_RANK = 4
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_NHWC_FORMATS = ("tflite", "tensorflow")
_PICTURE_CHANNELS = (1, 3, 4)
_OPEN_COUNT = "DetectionOutput"  # how many rows it answers depends on what it sees
_BATCHES = (1, 2)


class OpenCvRuntime:
    """A net serves one thread, so there are as many as requests may run at once."""

    def __init__(self) -> None:
        cpu = read_cpu_share()
        if cpu.is_limited:
            cv2.setNumThreads(cpu.threads)

    def load(self, source: ModelSource) -> CopiesServable:
        """Load for the wished device, else for the CPU.

        Raises:
            LoadError: says which file and why.
        """
        files = find_files(source, _NAME)
        refuse_changes(source, _NAME)
        described = describe(files, source.manifest)
        device = _choose_device(source)
        nets = [_Net(files, described, device) for _ in range(source.config.nireq or 1)]
        ports = _measured_ports(nets[0], described)
        if source.manifest.batching:
            ports = _open_batch(nets[0], ports)
        served = ports.renamed(read_mapping(source.folder))
        return CopiesServable(Copies("OpenCV", device, served, nets))

    def devices(self) -> dict[str, dict[str, str]]:
        """Return the devices that are here, and of the others why not."""
        missing = {device: _missing(device) for device in _TARGETS}
        return {device: {"reason": r} if r else {} for device, r in missing.items()}


class _Net:
    """One net; what it answers lies in its own memory, so it is copied."""

    def __init__(self, files: ModelFiles, described: Described, device: str) -> None:
        self._net: Any = read_net(files)
        backend, target = _TARGETS[device]
        self._net.setPreferableBackend(backend)
        self._net.setPreferableTarget(target)
        self._file = files.model.name
        self._names = [spec.name for spec in described.inputs]
        self._is_nhwc = [_is_nhwc(spec, files) for spec in described.inputs]
        self._declared = {spec.name: spec.shape for spec in described.outputs}
        found = tuple(self._net.getUnconnectedOutLayersNames())
        self.outputs = tuple(self._declared) or found
        missing = sorted(set(self.outputs) - set(found))
        if missing:
            raise LoadError(
                f"{self._file} on opencv: OpenCV does not answer the output {missing[0]!r}; it has "
                f"{', '.join(found)}"
            )

    def infer(self, inputs: Arrays, wanted: Sequence[int]) -> Arrays:
        for name, array, is_nhwc in zip(self._names, inputs, self._is_nhwc, strict=True):
            if not array.size:
                raise InvalidInput(f"input '{name}' - Expected: values; Actual: {array.shape}")
            blob = np.ascontiguousarray(array.transpose(_TO_NCHW)) if is_nhwc else array
            if len(self._names) == 1:
                self._net.setInput(blob)
            else:
                self._net.setInput(blob, name)
        names = [self.outputs[position] for position in wanted]
        answers = self._net.forward(names)
        return [self._as_declared(n, a) for n, a in zip(names, answers, strict=True)]

    def close(self) -> None:
        self._net = None

    def has_open_count(self, name: str) -> bool:
        """Tell whether the rows of an output are as many as were found."""
        kind: str = self._net.getLayer(self._net.getLayerId(name)).type
        return kind == _OPEN_COUNT

    def first_answers(self, inputs: Arrays) -> Arrays:
        """Infer for the first time; raises LoadError."""
        try:
            return self.infer(inputs, range(len(self.outputs)))
        except cv2.error as error:
            raise LoadError(f"{self._file} on opencv: a first inference: {told(error)}") from error

    def _as_declared(self, name: str, answer: NDArray[Any]) -> NDArray[Any]:
        """Copy an answer, in the layout of the file where that is NHWC and OpenCV's is not."""
        declared = self._declared.get(name, ())
        if len(declared) == 1 and answer.shape[1:] == (1,):  # OpenCV has no lists, only columns
            return np.array(answer[:, 0])
        if len(declared) == answer.ndim == _RANK and not _fits(answer.shape, declared):
            turned = answer.transpose(_TO_NHWC)
            if _fits(turned.shape, declared):
                return np.ascontiguousarray(turned)
        return np.array(answer)


def _choose_device(source: ModelSource) -> str:
    wished = source.device.upper()
    device = _DEVICES.get(wished, wished)
    reason = _missing(device)
    if reason:
        log_cpu_fall_back(source, source.device, reason)
    return _CPU if reason else device


def _missing(device: str) -> str:
    """Why a device is not here, "" where it is."""
    if device not in _TARGETS:
        return f"OpenCV runs on {', '.join(_TARGETS)}"
    if device == _OPENCL:
        return "" if cv2.ocl.haveOpenCL() else "OpenCL is not installed here"
    has_cuda = device == _CPU or cv2.cuda.getCudaEnabledDeviceCount() > 0
    return "" if has_cuda else "OpenCV's wheel has no CUDA"


def _measured_ports(net: _Net, described: Described) -> Ports:
    """The outputs as they are when the net has run once, if the sizes of the inputs are known."""
    zeros = _zeros(described.inputs, batch=0)
    if zeros is None:
        outputs = described.outputs or tuple(_unknown(name) for name in net.outputs)
        return Ports(described.inputs, outputs)
    answers = net.first_answers(zeros)
    specs = tuple(_spec(net, n, a) for n, a in zip(net.outputs, answers, strict=True))
    for declared, measured in zip(described.outputs, specs, strict=False):
        if not _fits(measured.shape, declared.shape):
            raise LoadError(
                f"output {declared.name!r} on opencv: OpenCV answers {list(measured.shape)}, the "
                f"file says {list(declared.shape)}"
            )
    return Ports(described.inputs, described.outputs or specs)


def _open_batch(net: _Net, ports: Ports) -> Ports:
    """Let requests be put together, if the net answers a row for each."""
    shapes = []
    for batch in _BATCHES:
        zeros = _zeros(ports.inputs, batch)
        if zeros is None:
            raise LoadError("batching: opencv cannot open the batch of inputs of unknown size")
        shapes.append([answer.shape for answer in net.first_answers(zeros)])
    for name, alone, together in zip(net.outputs, *shapes, strict=True):
        if together != (2 * alone[0], *alone[1:]) or alone[0] != 1:
            raise LoadError(
                f"batching: output {name!r} on opencv has shape {list(alone)} for one row and "
                f"{list(together)} for two; take `batching` out of model.json"
            )
    opened = [
        tuple(replace(spec, shape=(-1, *spec.shape[1:])) for spec in specs)
        for specs in (ports.inputs, ports.outputs)
    ]
    return Ports(opened[0], opened[1])


def _zeros(specs: tuple[TensorSpec, ...], batch: int) -> Arrays | None:
    """Inputs of so many rows, 0: as many as the files say; None where a size is not known."""
    if any(size < 0 for spec in specs for size in spec.shape[1:]):
        return None
    rows = [(batch or max(1, spec.shape[0]), *spec.shape[1:]) for spec in specs]
    return [np.zeros(shape, np.float32) for shape in rows]


def _spec(net: _Net, name: str, answer: NDArray[Any]) -> TensorSpec:
    shape = list(answer.shape)
    if net.has_open_count(name) and len(shape) == _RANK:
        shape[2] = -1
    return TensorSpec(name, "FP32", tuple(shape))


def _unknown(name: str) -> TensorSpec:
    return TensorSpec(name, "FP32", (-1,))


def _is_nhwc(spec: TensorSpec, files: ModelFiles) -> bool:
    is_picture = len(spec.shape) == _RANK and spec.shape[3] in _PICTURE_CHANNELS
    return is_picture and files.framework.name in _NHWC_FORMATS


def _fits(shape: Sequence[int], declared: Sequence[int]) -> bool:
    if len(shape) != len(declared):
        return False
    return all(b in (-1, a) or a == -1 for a, b in zip(shape, declared, strict=True))
