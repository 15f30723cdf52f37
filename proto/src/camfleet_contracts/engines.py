"""edgeIQ's engines and accelerators as this fleet's runtimes: the one table of them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Engine:
    """What `load(engine=, accelerator=)` of one engine asks for.

    A wish is `runtime` or `runtime:DEVICE`, as `runtimes` of model.json has it; of several the
    first that reads the model's format and is there is taken.
    """

    name: str
    wishes: Mapping[str, tuple[str, ...]]  # by accelerator, the default one first
    note: str = ""  # what a user should know before he chooses it


_CUDA = ("onnxruntime:CUDA", "opencv:CUDA")

ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine(
            "DNN",
            {"GPU": ("opencv:OPENCL",), "CPU": ("opencv:CPU",)},
            "OpenCV; GPU is OpenCL and falls back to the CPU",
        ),
        Engine(
            "DNN_CUDA",
            {"NVIDIA": _CUDA, "NVIDIA_FP16": ("onnxruntime:TENSORRT_FP16", "opencv:CUDA_FP16")},
            "ONNX goes to ONNX Runtime; Caffe, Darknet and Torch are OpenCV's, whose wheel has no "
            "CUDA: they fall back to the CPU",
        ),
        Engine(
            "DNN_OPENVINO",
            {
                "CPU": ("openvino:CPU",),
                "GPU": ("openvino:GPU",),
                "NPU": ("openvino:NPU",),
            },
        ),
        Engine("TENSOR_RT", {"NVIDIA": ("tensorrt", "onnxruntime:TENSORRT")}),
        Engine("HAILO_RT", {"HAILO": ("hailo",)}),
        Engine(
            "ONNX_RT",
            {"CPU": ("onnxruntime:CPU",), "NVIDIA": ("onnxruntime:CUDA",), "GPU": _CUDA[:1]},
        ),
    )
}

PLATFORMS: Mapping[str, str] = {
    "OpenVINO": "DNN_OPENVINO",
    "onnxruntime": "ONNX_RT",
    "OpenCV": "DNN",
    "TensorRT": "TENSOR_RT",
    "HailoRT": "HAILO_RT",
    "LiteRT": "TFLITE",
}
"""Which engine serves, by the `platform` in a model's metadata; LiteRT is none of edgeIQ's."""

_MYRIAD = (
    "Myriad sticks are not made any more and OpenVINO has dropped them; use DNN_OPENVINO with CPU, "
    "GPU or NPU"
)


class UnsupportedEngine(ValueError):
    """No such engine, or it does not know that accelerator; says which there are."""


def wished_runtimes(engine: str, accelerator: str = "") -> tuple[str, ...]:
    """Return the wishes of an engine; without accelerator those of its default one.

    Raises:
        UnsupportedEngine: one of them is unknown, or the two do not go together.
    """
    found = ENGINES.get(engine.upper())
    if found is None:
        raise UnsupportedEngine(f"engine {engine!r} is unknown; use one of: {', '.join(ENGINES)}")
    chosen = accelerator.upper() or next(iter(found.wishes))
    if chosen.startswith("MYRIAD"):
        raise UnsupportedEngine(_MYRIAD)
    if chosen not in found.wishes:
        known = ", ".join(found.wishes)
        raise UnsupportedEngine(f"{found.name} takes the accelerators {known}, not {accelerator!r}")
    return found.wishes[chosen]
