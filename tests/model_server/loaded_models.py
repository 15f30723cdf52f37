"""Loads a version as the server does; makes small model files, also of rare formats."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.loading import load_servable
from camfleet_server.runtimes.base import ModelSource, Servable
from camfleet_server.runtimes.table import Runtimes

RUNTIMES = Runtimes()
IR_VERSION = 8  # what every runtime of the matrix reads


def source_of(path: Path, manifest: dict[str, Any] | None = None, **config: Any) -> ModelSource:
    """A version to load; `config` is of config.json."""
    settings = ModelConfig(name="model", base_path=path, **config)
    return ModelSource("model", 1, path, settings, ModelManifest(**manifest or {}))


def load(
    path: Path, *runtimes: str, manifest: dict[str, Any] | None = None, **config: Any
) -> Servable:
    """Load with these runtimes, without any with the usual ones."""
    told = {"runtimes": runtimes} | (manifest or {})
    return load_servable(source_of(path, told, **config), RUNTIMES)


def answer(servable: Servable, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Infer and return the outputs in the order of the file."""
    names = tuple(spec.name for spec in servable.outputs)
    given = {spec.name: a for spec, a in zip(servable.inputs, arrays, strict=True)}
    answers = servable.infer(given, names)
    return [answers[name] for name in names]


def save_scaler(path: Path, factor: float = 2, shape: tuple[Any, ...] = (1, 3, 4, 6)) -> Path:
    """Save an ONNX file whose output `scaled` is input `picture` times a factor."""
    weight = numpy_helper.from_array(np.full((1,), factor, np.float32), "factor")
    node = helper.make_node("Mul", ["picture", "factor"], ["scaled"])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        for name in ("picture", "scaled")
    ]
    graph = helper.make_graph([node], "scaler", ends[:1], ends[1:], [weight])
    return save_graph(path, graph)


def save_graph(path: Path, graph: onnx.GraphProto) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    imports = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION), path)
    return path


def save_relu_as_torch(path: Path) -> Path:
    """Save a Torch 7 file: a Sequential that holds one ReLU."""
    version, empty = _torch_text("V 1"), struct.pack("<i", 0)
    relu = struct.pack("<ii", 4, 3) + version + _torch_text("nn.ReLU")
    relu += struct.pack("<ii", 3, 4) + empty
    modules = struct.pack("<iii", 3, 5, 1) + struct.pack("<id", 1, 1.0) + relu
    members = struct.pack("<iii", 3, 2, 1) + struct.pack("<i", 2) + _torch_text("modules") + modules
    path.write_bytes(struct.pack("<ii", 4, 1) + version + _torch_text("nn.Sequential") + members)
    return path


def _torch_text(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()
