"""What `camfleet model configure` writes: alwaysAI's fields with its defaults, and ours."""

from collections.abc import Mapping
from typing import Any

from camfleet.cli.errors import CommandError
from camfleet.decoders import decoder_names
from camfleet.inference.preprocessing import preprocess_of
from camfleet_contracts.frameworks import (
    FRAMEWORKS,
    Framework,
    UnknownFramework,
    get_framework,
)
from camfleet_contracts.model_manifest import parse_manifest

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
    "tensorrt": ("yolo", "mobilenet_ssd"),
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
_PICTURE = frozenset({"mean", "scalefactor", "size", "crop", "swaprb"})
_CHANNELS_LAST = frozenset({"tensorflow", "saved-model", "tflite"})
_HAILO: Mapping[str, Any] = {"quantize_input": True, "quantize_output": True}


def describe(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The new document: what was given over what was there over the defaults.

    Raises:
        CommandError: a value is none of those there are, or a field is missing.
    """
    fields = {name: value for name, value in given.items() if value is not None}
    decoder = fields.pop("decoder", None)
    merged = {**before, **fields}
    framework = _framework_of(merged).name
    if not merged.get("model_file"):
        raise CommandError("--model_file is missing; name the file with the weights")
    _check_choice(merged, "purpose", PURPOSES)
    _check_choice(merged, "device", DEVICES)
    _check_choice(merged, "architecture", ARCHITECTURES.get(framework, ()))
    sizes = {"size": _SIZES[framework]} if framework in _SIZES else {}
    hailo = _HAILO if framework == "hailo" else {}
    document = {**DEFAULTS, **sizes, **hailo, **merged}
    _check_lists(document)
    if "preprocess" not in before or _PICTURE & fields.keys():
        document["preprocess"] = _preprocess(document, framework)
    if decoder:
        document["postprocess"] = {**document.get("postprocess", {}), **_decoder(decoder)}
    return document


def _preprocess(document: Mapping[str, Any], framework: str) -> dict[str, Any]:
    """Our words for alwaysAI's fields; TensorFlow's own graphs take the channels last."""
    manifest = parse_manifest({**document, "preprocess": None}, where="model.json")
    described = preprocess_of(manifest).model_dump(mode="json", exclude_unset=True)
    is_last = framework in _CHANNELS_LAST and not document.get("config_file")
    return {**described, "layout": "NHWC" if is_last else "NCHW"}


def _framework_of(fields: Mapping[str, Any]) -> Framework:
    name = str(fields.get("framework_type") or "")
    known = ", ".join(framework.name for framework in FRAMEWORKS)
    if not name:
        raise CommandError(f"--framework is missing; use one of: {known}")
    try:
        return get_framework(name)
    except UnknownFramework as error:
        raise CommandError(f"--framework: {error}") from error


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
