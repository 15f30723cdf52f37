"""The model formats there are: their files, who reads them, and what alwaysAI calls them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Framework:
    """One format; suffixes are in lower case, of several files the model file comes first."""

    name: str
    model_suffixes: tuple[str, ...]
    runtimes: tuple[str, ...]  # which read it, in the order they are tried
    config_suffixes: tuple[str, ...] = ()  # of the file beside it
    needs_config: bool = False
    aliases: tuple[str, ...] = ()  # other names that `framework_type` may have


SAVED_MODEL = "saved_model.pb"

FRAMEWORKS = (
    Framework("openvino", (".xml",), ("openvino",), (".bin",), aliases=("dldt", "ir")),
    Framework("onnx", (".onnx",), ("openvino", "onnxruntime", "opencv")),
    Framework("saved-model", (), ("openvino",), aliases=("savedmodel", "saved_model")),
    Framework("tensorflow", (".pb",), ("openvino", "opencv"), (".pbtxt",)),
    Framework("tflite", (".tflite",), ("openvino", "litert", "opencv"), aliases=("litert",)),
    Framework("paddle", (".pdmodel",), ("openvino",), (".pdiparams",)),
    Framework("caffe", (".caffemodel",), ("opencv",), (".prototxt", ".prototext"), True),
    Framework("darknet", (".weights",), ("opencv",), (".cfg",), True, ("yolo",)),
    Framework("torch", (".t7", ".net"), ("opencv",), aliases=("enet",)),
    Framework("tensorrt", (".engine", ".plan", ".trt"), ("tensorrt",), aliases=("tensor-rt",)),
    Framework("hailo", (".hef",), ("hailo",)),
)
"""Without a manifest the first of these that a version folder holds is taken."""

UNSERVED: Mapping[str, str] = {
    ".blob": "a Myriad blob runs on a Myriad stick only, which nobody makes or supports any more; "
    "publish the model it was compiled from (ONNX, IR or TFLite)",
    ".h5": "a Keras file; export it in Keras as SavedModel (model.export(folder)) or convert it "
    "to ONNX (tf2onnx), and publish that",
    ".keras": "a Keras file; export it in Keras as SavedModel (model.export(folder)) or convert it "
    "to ONNX (tf2onnx), and publish that",
    ".pt": "a PyTorch file, which holds a program and not only a model; export it to ONNX "
    "(torch.onnx.export), and publish that",
    ".pth": "a PyTorch file, which holds a program and not only a model; export it to ONNX "
    "(torch.onnx.export), and publish that",
    ".ckpt": "a checkpoint of a training; export it as SavedModel or to ONNX, and publish that",
}
"""Files that look like a model and no runtime reads: what to do instead."""

_UNSERVED_NAMES = {"myriad": ".blob", "keras": ".h5", "pytorch": ".pt"}
_BY_NAME = {name: f for f in FRAMEWORKS for name in (f.name, *f.aliases)}


class UnknownFramework(ValueError):
    """`framework_type` is no name of a format that can be served."""

    def __init__(self, name: str) -> None:
        """Say what it could be, or what to do instead."""
        suffix = _UNSERVED_NAMES.get(name.lower())
        known = ", ".join(framework.name for framework in FRAMEWORKS)
        told = f"this is {UNSERVED[suffix]}" if suffix else f"use one of: {known}"
        super().__init__(f"framework_type {name!r}: {told}")


def get_framework(name: str) -> Framework:
    """Return the format of a name or alias, in any case of letters.

    Raises:
        UnknownFramework: there is none.
    """
    framework = _BY_NAME.get(name.strip().lower())
    if framework is None:
        raise UnknownFramework(name)
    return framework


def find_framework(file: PurePath) -> Framework | None:
    """Return the format that a file's name says it has; None where it says none, as `.bin`."""
    if file.name == SAVED_MODEL:
        return get_framework("saved-model")
    suffix = file.suffix.lower()
    return next((f for f in FRAMEWORKS if suffix in f.model_suffixes), None)
