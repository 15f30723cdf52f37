"""The models Triton's examples speak with, as far as OpenVINO computes them, made on the spot."""

import json
from pathlib import Path

import numpy as np

from camfleet_server.runtimes.openvino.api import ov

opset = ov.opset13
COUNT = 16


def save_simple(folder: Path) -> None:
    """Save OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1 on rows of 16 INT32."""
    inputs = [_parameter(name, [-1, COUNT], np.int32) for name in ("INPUT0", "INPUT1")]
    outputs = [opset.add(*inputs), opset.subtract(*inputs)]
    _save(folder, inputs, [_named(node, f"OUTPUT{i}") for i, node in enumerate(outputs)])
    labels = [f"label-{number}" for number in range(COUNT)]
    (folder / "model.json").write_text(json.dumps({"labels": labels}))


def save_simple_identity(folder: Path) -> None:
    """Save OUTPUT0 = INPUT0 on rows of 16 texts."""
    texts = _parameter("INPUT0", [-1, COUNT], ov.Type.string)
    same = opset.reshape(texts, opset.constant([-1, COUNT], np.int64), special_zero=False)
    _save(folder, [texts], [_named(same, "OUTPUT0")])


TRITON_MODELS = {
    "simple": save_simple,
    "simple_identity": save_simple_identity,
    "on_request": save_simple,  # not in config.json
}


def _parameter(name: str, shape: list[int], datatype: object) -> "ov.Node":
    node = opset.parameter(shape, datatype, name=name)
    node.output(0).set_names({name})
    return node


def _named(node: "ov.Node", name: str) -> "ov.Node":
    node.output(0).set_names({name})
    return node


def _save(folder: Path, inputs: list["ov.Node"], outputs: list["ov.Node"]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(ov.Model(outputs, inputs, "m"), folder / "model.xml", compress_to_fp16=False)
