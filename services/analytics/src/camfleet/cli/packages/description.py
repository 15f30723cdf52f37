"""What `camfleet model configure` writes: alwaysAI's fields with its defaults, and ours."""

from collections.abc import Mapping
from typing import Any

from camfleet.cli.errors import CommandError
from camfleet.decoders import decoder_names
from camfleet.inference.preprocessing import preprocess_of
from camfleet_contracts.model_manifest import parse_manifest

# Endings of the model file by framework: alwaysAI's table, and the frameworks served here besides.
FRAMEWORKS: Mapping[str, tuple[str, ...]] = {
    "caffe": (".caffemodel",),
    "darknet": (".weights",),
    "dldt": (".bin", ".xml"),
    "enet": (".net", ".t7"),
    "hailo": (".hef",),
    "onnx": (".onnx",),
    "openvino": (".xml",),
    "tensor-rt": (".trt", ".engine", ".plan", ".bin"),
    "tensorflow": (".pb", ""),  # "": the folder of a SavedModel
    "tflite": (".tflite",),
    "torch": (".t7", ".net"),
}
PURPOSES = (
    "Classification",
    "ObjectDetection",
    "PoseEstimation",
    "SemanticSegmentation",
    "InstanceSegmentation",
    "ReIdentification",
)
DEVICES = ("nano", "xavier-nx", "agx-xavier")
ARCHITECTURES: Mapping[str, tuple[str, ...]] = {
    "tensor-rt": ("yolo", "mobilenet_ssd"),
    "hailo": ("yolov3", "mobilenet_ssd"),
}
DEFAULTS: Mapping[str, Any] = {
    "accuracy": "",
    "crop": False,
    "dataset": "",
    "inference_time": 0,
    "license": "",
    "mean": [0, 0, 0],
    "mean_average_precision_top_1": 0,
    "mean_average_precision_top_5": 0,
    "public": False,
    "scalefactor": 1,
    "softmax": False,
    "swaprb": False,
    "website_url": "",
}
_SIZES: Mapping[str, list[int]] = {"tensorflow": [300, 300], "darknet": [320, 320]}
_HAILO: Mapping[str, Any] = {"quantize_input": True, "quantize_output": True}
_OUT_OF_DATE = "myriad"


def describe(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The new document: what was given over what was there over the defaults.

    Raises:
        CommandError: a value is none of those there are, or a field is missing.
    """
    fields = {name: value for name, value in given.items() if value is not None}
    decoder = fields.pop("decoder", None)
    merged = {**before, **fields}
    _check_framework(merged)
    _check_choice(merged, "purpose", PURPOSES)
    _check_choice(merged, "device", DEVICES)
    framework = merged["framework_type"]
    _check_choice(merged, "architecture", ARCHITECTURES.get(framework, ()))
    sizes = {"size": _SIZES[framework]} if framework in _SIZES else {}
    hailo = _HAILO if framework == "hailo" else {}
    document = {**DEFAULTS, **sizes, **hailo, **merged}
    _check_lists(document)
    manifest = parse_manifest({**document, "preprocess": None}, where="model.json")
    document["preprocess"] = preprocess_of(manifest).model_dump(mode="json", exclude_unset=True)
    if decoder:
        document["postprocess"] = {**document.get("postprocess", {}), **_decoder(decoder)}
    return document


def _check_framework(fields: Mapping[str, Any]) -> None:
    framework = str(fields.get("framework_type") or "")
    if framework == _OUT_OF_DATE:
        raise CommandError(
            "--framework myriad: its .blob files run on no runtime of today; configure the ONNX or "
            "OpenVINO model that they were made from"
        )
    if framework not in FRAMEWORKS:
        said = f"'{framework}' is none" if framework else "is missing"
        raise CommandError(f"--framework {said}; use one of: {', '.join(FRAMEWORKS)}")
    name = str(fields.get("model_file", ""))
    endings = FRAMEWORKS[framework]
    if not name:
        raise CommandError(f"--model_file is missing; for {framework} it {_ends_in(endings)}")
    if not any(name.endswith(ending) if ending else "." not in name for ending in endings):
        raise CommandError(
            f"--model_file {name}: a {framework} model {_ends_in(endings)}; name the file, or "
            "another --framework"
        )


def _ends_in(endings: tuple[str, ...]) -> str:
    return f"ends in {' or '.join(ending for ending in endings if ending)}"


def _check_choice(fields: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> None:
    value = fields.get(name)
    if value and value not in choices:
        known = ", ".join(choices) or f"none for {fields['framework_type']}"
        raise CommandError(f"--{name} {value}: use one of: {known}")
    if name == "purpose" and not value:
        raise CommandError(f"--purpose is missing; use one of: {', '.join(choices)}")


def _check_lists(document: Mapping[str, Any]) -> None:
    if len(document["mean"]) not in {1, 3}:
        raise CommandError(f"--mean {document['mean']}: give one number, or one per channel")
    size = document.get("size")
    if size is not None and (len(size) != 2 or min(size) < 1):  # noqa: PLR2004 - width and height
        raise CommandError(f"--size {size}: give width and height in pixels")


def _decoder(name: str) -> dict[str, str]:
    if name not in decoder_names():
        raise CommandError(f"--decoder {name}: use one of: {', '.join(decoder_names())}")
    return {"decoder": name}
