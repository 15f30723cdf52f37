"""TensorFlow's tensors without TensorFlow."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from camfleet import BadArgument
from camfleet.compat import make_ndarray, make_tensor_proto

DT_FLOAT, DT_INT32, DT_STRING, DT_UINT8 = 1, 3, 7, 4


@pytest.mark.parametrize(
    ("values", "datatype"),
    [
        pytest.param([[1.5, 2.5]], DT_FLOAT, id="floats"),
        pytest.param([1, 2, 3], DT_INT32, id="numbers"),
        pytest.param(7, DT_INT32, id="one-number"),
        pytest.param([b"ab", b""], DT_STRING, id="texts"),
        pytest.param(np.zeros((1, 3, 2, 2), np.float32), DT_FLOAT, id="array"),
        pytest.param(np.zeros((0, 4), np.uint8), DT_UINT8, id="empty"),
    ],
)
def test_values_come_back_as_they_went(values: Any, datatype: int) -> None:
    proto = make_tensor_proto(values)

    assert proto.dtype == datatype
    assert make_ndarray(proto).tolist() == np.asarray(values).tolist()


def test_dtype_and_shape_are_as_asked_for() -> None:
    proto = make_tensor_proto([1, 2, 3, 4], dtype=np.float32, shape=(2, 2))

    assert make_ndarray(proto).dtype == np.float32
    assert make_ndarray(proto).tolist() == [[1, 2], [3, 4]]


def test_one_value_fills_the_shape() -> None:
    assert make_ndarray(make_tensor_proto(5, shape=(2, 3))).tolist() == [[5] * 3] * 2


def test_an_array_may_be_written_to() -> None:
    array = make_ndarray(make_tensor_proto([1.0, 2.0]))
    array[0] = 9
    assert array.tolist() == [9, 2]


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        pytest.param([1, 2, 3], (2, 2), id="shape"),
        pytest.param([[1, 2], [3]], None, id="ragged"),
        pytest.param([object()], None, id="objects"),
    ],
)
def test_what_cannot_be_a_tensor_is_refused(values: Any, shape: tuple[int, ...] | None) -> None:
    with pytest.raises(BadArgument, match="make_tensor_proto: "):
        make_tensor_proto(values, shape=shape)


def test_what_is_no_tensor_proto_is_refused() -> None:
    with pytest.raises(BadArgument, match="expected a TensorProto, got ndarray"):
        make_ndarray(np.zeros(3))


def test_a_failing_import_of_tensorflow_says_what_to_do() -> None:
    script = (
        "from camfleet.compat import explain_missing_tensorflow as explain\n"
        "explain(); explain()\n"
        "try:\n import tensorflow\n"
        "except ModuleNotFoundError as error:\n print(error.name, error)\n"
        "try:\n import tensorflow_probability\n"
        "except ModuleNotFoundError as error:\n print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "tensorflow TensorFlow is not installed here" in done.stdout
    assert "from camfleet.compat import make_tensor_proto" in done.stdout
    assert "No module named 'tensorflow_probability'" in done.stdout
