"""What only OpenCV has: no scalars, no tensors without values, and columns in place of lists."""

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.base import LoadError
from loaded_models import answer, load, save_graph


def saved(path: Path, node: NodeProto, x: list[int | str], y: list[int | str]) -> Path:
    ends = [helper.make_tensor_value_info(*end) for end in _ends(x, y)]
    return save_graph(path, helper.make_graph([node], "g", ends[:1], ends[1:]))


def _ends(x: list[int | str], y: list[int | str]) -> list[tuple[str, int, list[int | str]]]:
    return [("x", TensorProto.FLOAT, x), ("y", TensorProto.FLOAT, y)]


@pytest.mark.parametrize("sizes", [[2, 3, 4, 6], ["n", 3, "h", "w"]])
def test_a_list_that_the_file_declares_is_answered_as_one(
    tmp_path: Path, sizes: list[int | str]
) -> None:
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2, 3], keepdims=0)
    servable = load(saved(tmp_path / "m.onnx", node, sizes, sizes[:1]), "opencv")
    (means,) = answer(servable, np.ones((2, 3, 4, 6), np.float32))
    assert means.tolist() == [1, 1]


def test_an_input_without_dimensions_is_refused_with_its_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.onnx", helper.make_node("Relu", ["x"], ["y"]), [], [])
    with pytest.raises(LoadError, match=r"m\.onnx on opencv: input 'x' is a scalar"):
        load(path, "opencv")


def test_a_tensor_without_values_is_the_fault_of_who_sent_it(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.onnx", helper.make_node("Relu", ["x"], ["y"]), ["n", 4], ["n", 4])
    with pytest.raises(InvalidInput, match=r"input 'x' - Expected: values; Actual: \(0, 4\)"):
        answer(load(path, "opencv"), np.zeros((0, 4), np.float32))
