"""Sizes of requests are worked out on the graph before they are inferred."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.outline import Outline, outline_of
from loaded_models import answer, load, save_graph, save_scaler

ONE_THREAD = {"INFERENCE_NUM_THREADS": "1"}  # in which OpenVINO answers what does not fit


def save_of_one_size(folder: Path) -> Path:
    """Save a model that takes any height and multiplies what must be 24 numbers by weights."""
    given = [
        numpy_helper.from_array(np.array([1, 24], np.int64), "sizes"),
        numpy_helper.from_array(np.ones((24, 300), np.float32), "weights"),
    ]
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("Reshape", ["positive", "sizes"], ["row"]),
        helper.make_node("MatMul", ["row", "weights"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "H", 6]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 300]),
    ]
    graph = helper.make_graph(nodes, "one-size", ends[:1], ends[1:], given)
    return save_graph(folder / "model.onnx", graph)


@pytest.mark.parametrize("plugin_config", [{}, ONE_THREAD], ids=["usual threads", "one thread"])
def test_sizes_that_do_not_fit_are_refused_and_change_nothing(
    tmp_path: Path, plugin_config: dict[str, Any]
) -> None:
    servable = load(save_of_one_size(tmp_path), "openvino", plugin_config=plugin_config)
    for height in (3, 5, 100, 3):
        with pytest.raises(InvalidInput, match=rf"x \[1, {height}, 6\] do not fit the model's"):
            answer(servable, np.ones((1, height, 6), np.float32))
        np.testing.assert_allclose(answer(servable, np.ones((1, 4, 6), np.float32))[0], 24)


def test_no_weights_are_kept_to_work_out_sizes(tmp_path: Path) -> None:
    outline = Outline(ov.Core().read_model(save_of_one_size(tmp_path)))
    constants = [op for op in outline._graph.get_ops() if op.get_type_name() == "Constant"]
    assert max(np.prod(op.get_output_shape(0)) for op in constants) < 24 * 300


def test_a_model_of_fixed_sizes_needs_no_outline(tmp_path: Path) -> None:
    assert outline_of(ov.Core().read_model(save_scaler(tmp_path / "model.onnx"))) is None
