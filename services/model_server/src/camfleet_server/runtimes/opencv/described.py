"""Inputs and outputs as the files of a net describe them; what they leave open is -1.

A Darknet, Caffe or Torch file says little: its input is FP32 [1, C, H, W] under the name that
OpenCV gives it, and the outputs are known when the net has run once.
"""

import configparser
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from camfleet_contracts.model_files import ModelFiles
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.protobuf_wire import BadMessage
from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.headers.onnx_graph import read_graph
from camfleet_server.runtimes.headers.tensorflow_graph import read_placeholders
from camfleet_server.runtimes.headers.text_message import BadText, TextMessage, read_text
from camfleet_server.runtimes.headers.tflite_graph import BadTflite, read_tflite
from camfleet_server.runtimes.wishes import read_bytes
from camfleet_server.types import TensorSpec

Specs = tuple[TensorSpec, ...]
_UNNAMED = "data"  # what OpenCV calls the input of a Darknet net, and we that of a Torch net
_RANK = 4
_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Described:
    """What the files say; `outputs` is empty where they do not name them."""

    inputs: Specs
    outputs: Specs = ()


def describe(files: ModelFiles, manifest: ModelManifest) -> Described:
    """Read names, types and shapes; sizes that the files leave open may come from the manifest.

    Raises:
        LoadError: the files cannot be read as what they are, or have no inputs.
    """
    try:
        described = _READERS[files.framework.name](files)
    except (BadMessage, BadText, BadTflite, UnicodeDecodeError, configparser.Error) as error:
        raise LoadError(f"{files.model.name} on opencv: {error}") from error
    if not described.inputs:
        raise LoadError(f"{files.model.name} on opencv: no inputs are found in it")
    _check_types(described, files)
    inputs = tuple(_with_size(spec, manifest) for spec in described.inputs)
    return Described(inputs, described.outputs)


def _check_types(described: Described, files: ModelFiles) -> None:
    for spec in described.inputs:
        if not spec.shape:
            raise LoadError(
                f"{files.model.name} on opencv: input {spec.name!r} is a scalar, and OpenCV takes "
                "none; let another runtime serve it, or give the input a dimension"
            )
    for spec in (*described.inputs, *described.outputs):
        if spec.datatype != "FP32":
            raise LoadError(
                f"{files.model.name} on opencv: tensor {spec.name!r} is {spec.datatype}, and "
                "OpenCV computes in FP32 only"
            )


def _with_size(spec: TensorSpec, manifest: ModelManifest) -> TensorSpec:
    """Take what the file leaves open from `inputs`, `preprocess.size` or `size` of model.json."""
    for tensor in manifest.inputs:
        if len(tensor.shape) == len(spec.shape) and (
            tensor.name == spec.name or len(manifest.inputs) == 1
        ):
            sides = zip(spec.shape, tensor.shape, strict=True)
            return TensorSpec(spec.name, spec.datatype, tuple(a if a > 0 else b for a, b in sides))
    size = (manifest.preprocess and manifest.preprocess.size) or manifest.size or ()
    if len(spec.shape) != _RANK or len(size) < 2:  # noqa: PLR2004 - width and height
        return spec
    asked = (1, _CHANNELS, size[1], size[0])
    return TensorSpec(
        spec.name,
        spec.datatype,
        tuple(a if a > 0 else b for a, b in zip(spec.shape, asked, strict=True)),
    )


def _onnx(files: ModelFiles) -> Described:
    return Described(*read_graph(read_bytes(files.model)))


def _tflite(files: ModelFiles) -> Described:
    return Described(*read_tflite(read_bytes(files.model)))


def _tensorflow(files: ModelFiles) -> Described:
    specs = read_placeholders(read_bytes(files.model))
    if files.config is not None:
        text = read_text(_text(files))
        names = {node.text("name") for node in text.messages("node")}
        specs = tuple(spec for spec in specs if spec.name in names) or _text_placeholders(text)
    return Described(specs)


def _text_placeholders(text: TextMessage) -> Specs:
    """A .pbtxt may have inputs that the .pb has lost."""
    nodes = (node for node in text.messages("node") if node.text("op") == "Placeholder")
    return tuple(TensorSpec(node.text("name"), "FP32", (1, -1, -1, -1)) for node in nodes)


def _caffe(files: ModelFiles) -> Described:
    net = read_text(_text(files))
    names = net.texts("input")
    shapes = [shape.numbers("dim") for shape in net.messages("input_shape")]
    sizes = net.numbers("input_dim")
    shapes = shapes or [sizes[i : i + _RANK] for i in range(0, len(sizes), _RANK)]
    for layer in net.messages("layer"):
        if layer.text("type") == "Input":
            names.append(layer.text("top"))
            parameter = layer.messages("input_param")
            held = parameter[0].messages("shape") if parameter else []
            shapes.append(held[0].numbers("dim") if held else (1, -1, -1, -1))
    shapes += [(1, -1, -1, -1)] * (len(names) - len(shapes))
    specs = (TensorSpec(n, "FP32", tuple(s)) for n, s in zip(names, shapes, strict=False))
    return Described(tuple(specs))


def _darknet(files: ModelFiles) -> Described:
    """The first section, [net] or [network], has the input; sections repeat, so only it is read."""
    lines = [line.partition("#")[0].strip() for line in _text(files).splitlines()]
    head: list[str] = []
    for line in filter(None, lines):
        if line.startswith("[") and head:
            break
        head.append(line)
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string("\n".join(head))
    if not parser.sections() or parser.sections()[0] not in {"net", "network"}:
        raise BadText(f"{files.config and files.config.name} does not begin with [net]")
    net = parser[parser.sections()[0]]
    try:
        shape = (1, *(int(net.get(key, "-1")) for key in ("channels", "height", "width")))
    except ValueError as error:
        raise BadText(f"[net] of {files.config and files.config.name}: {error}") from error
    return Described((TensorSpec(_UNNAMED, "FP32", shape),))


def _torch(_: ModelFiles) -> Described:
    return Described((TensorSpec(_UNNAMED, "FP32", (1, _CHANNELS, -1, -1)),))


def _text(files: ModelFiles) -> str:
    assert files.config is not None  # noqa: S101 - these formats are not found without
    return read_bytes(files.config).decode()


_READERS: Mapping[str, Callable[[ModelFiles], Described]] = {
    "onnx": _onnx,
    "tflite": _tflite,
    "tensorflow": _tensorflow,
    "caffe": _caffe,
    "darknet": _darknet,
    "torch": _torch,
}
