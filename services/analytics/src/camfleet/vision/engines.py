"""Engines and accelerators by edgeIQ's names: what is wished for, and what runs a model."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from camfleet.errors import UnsupportedEngine
from camfleet_contracts import engines
from camfleet_contracts.engines import ENGINES, PLATFORMS, wished_runtimes
from camfleet_contracts.model_manifest import ServedBy


class Engine(StrEnum):
    """What runs a model; docs/runtimes.md says which runtime each one is here."""

    DNN = "DNN"  # OpenCV
    DNN_CUDA = "DNN_CUDA"
    DNN_OPENVINO = "DNN_OPENVINO"
    TENSOR_RT = "TENSOR_RT"
    HAILO_RT = "HAILO_RT"
    ONNX_RT = "ONNX_RT"
    TFLITE = "TFLITE"  # LiteRT: it may run a model, but cannot be asked for


class Accelerator(StrEnum):
    """What an engine computes on."""

    DEFAULT = "DEFAULT"  # the engine's own choice
    CPU = "CPU"
    GPU = "GPU"
    NPU = "NPU"
    NVIDIA = "NVIDIA"
    NVIDIA_FP16 = "NVIDIA_FP16"
    HAILO = "HAILO"
    MYRIAD = "MYRIAD"  # refused with what to take instead


class EngineFallback(UserWarning):
    """A model runs on something else than was asked for; the text says on what, and why."""


class Running(NamedTuple):
    """What runs a model; None where the server does not tell."""

    engine: Engine | None
    accelerator: Accelerator | None


_RUNTIMES: Mapping[str, str] = {
    "OpenVINO": "openvino",
    "onnxruntime": "onnxruntime",
    "OpenCV": "opencv",
    "TensorRT": "tensorrt",
    "HailoRT": "hailo",
}
_ACCELERATORS: Mapping[str, Accelerator] = {
    "OPENCL": Accelerator.GPU,
    "CUDA": Accelerator.NVIDIA,
    "CUDA_FP16": Accelerator.NVIDIA_FP16,
    "TENSORRT": Accelerator.NVIDIA,
    "TENSORRT_FP16": Accelerator.NVIDIA_FP16,
}


def wishes_of(engine: Engine | str | None, accelerator: Accelerator | str | None) -> Sequence[str]:
    """The runtimes to try, in order; empty where no engine is wished for.

    Raises:
        UnsupportedEngine: one of them is unknown, or the two do not go together.
    """
    if engine is None:
        return ()
    wanted = "" if accelerator in {None, Accelerator.DEFAULT} else str(accelerator)
    try:
        return wished_runtimes(str(engine), wanted)
    except engines.UnsupportedEngine as error:
        raise UnsupportedEngine(str(error)) from error


def running_on(
    served_by: ServedBy | None, wishes: Sequence[str], engine: Engine | str | None
) -> Running:
    """What a manifest says of the runtime, told as the wished engine where it is one of those."""
    if served_by is None:
        return Running(None, None)
    device = served_by.device.upper()
    kind = device.partition(".")[0]
    accelerator = _ACCELERATORS.get(kind)
    if accelerator is None and kind in Accelerator.__members__:
        accelerator = Accelerator(kind)
    if engine is not None and _is_wished(served_by, wishes):
        return Running(Engine(str(engine).upper()), accelerator)
    found = PLATFORMS.get(served_by.platform)
    return Running(Engine(found) if found else None, accelerator)


def difference(
    engine: Engine | str | None,
    accelerator: Accelerator | str | None,
    wishes: Sequence[str],
    served_by: ServedBy | None,
    refusal: str = "",
) -> str | None:
    """How what runs a model differs from what was wished for, and why; None where it does not."""
    if engine is None or (served_by is not None and _is_wished(served_by, wishes)):
        return None
    asked = f"asked for {engine} on {_told(engine, accelerator)}"
    if served_by is None:
        return f"{asked}; its server does not tell what runs it"
    found = PLATFORMS.get(served_by.platform, served_by.platform)
    note = refusal or ENGINES[str(engine).upper()].note
    return f"{asked}, runs with {found} on {served_by.device}" + (f" ({note})" if note else "")


def _told(engine: Engine | str, accelerator: Accelerator | str | None) -> str:
    if accelerator not in {None, "", Accelerator.DEFAULT}:
        return str(accelerator)
    default, *others = ENGINES[str(engine).upper()].wishes
    return f"{default}, its default accelerator" if others else default


def _is_wished(served_by: ServedBy, wishes: Sequence[str]) -> bool:
    runtime, device = _RUNTIMES.get(served_by.platform, ""), served_by.device.upper()
    kind = device.partition(".")[0]  # of several GPUs one
    return bool({runtime, f"{runtime}:{device}", f"{runtime}:{kind}"} & set(wishes))
