"""Models that keep their batch whatever is asked of them."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from loaded_models import save_graph

BAKED_IN = (
    "fastestdet-coco/FastestDet.onnx",
    "mobilenet-v2-imagenet-quant/mobilenet_v2_1.0_224_quant.tflite",
)


def save_baked(path: Path, batch: int | str = 1) -> Path:
    """Save a model of one row of 4 by 6 that is reshaped to (1, 24), whatever comes in."""
    sizes = numpy_helper.from_array(np.array([1, 24], np.int64), "sizes")
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("Reshape", ["positive", "sizes"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [batch, 4, 6]), ("y", [batch, 24]))
    ]
    return save_graph(path, helper.make_graph(nodes, "baked", ends[:1], ends[1:], [sizes]))
