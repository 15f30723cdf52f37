"""Requests that do not fit the model are refused with OVMS's words."""

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_server.errors import InvalidInput
from camfleet_server.input_errors import (
    MissingInput,
    UnknownOutput,
    WrongBatch,
    WrongDatatype,
    WrongInputCount,
    WrongRank,
    WrongShape,
)
from camfleet_server.serving.validation import fit_inputs, wanted_outputs
from camfleet_server.types import TensorSpec

IMAGE = TensorSpec("image", "FP32", (1, 3, 8, 8))
OPEN = TensorSpec("open", "FP32", (-1, 4))


def _zeros(*shape: int, dtype: str = "f4") -> NDArray[np.generic]:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({}, WrongInputCount),
        ({"picture": _zeros(1, 3, 8, 8)}, MissingInput),
        ({"image": _zeros(1, 3, 8, 8, dtype="u1")}, WrongDatatype),
        ({"image": _zeros(3, 8, 8)}, WrongRank),
        ({"image": _zeros(2, 3, 8, 8)}, WrongBatch),
        ({"image": _zeros(1, 8, 8, 3)}, WrongShape),
    ],
    ids=["count", "name", "datatype", "rank", "batch", "shape"],
)
def test_misfit_is_refused(
    inputs: dict[str, NDArray[np.generic]], error: type[InvalidInput]
) -> None:
    with pytest.raises(error):
        fit_inputs(inputs, [IMAGE], {})


def test_alias_is_accepted_and_replaced_by_the_own_name() -> None:
    array = _zeros(1, 3, 8, 8)
    assert fit_inputs({"alias": array}, [IMAGE], {"alias": "image"})["image"] is array


def test_open_dimension_takes_any_size() -> None:
    assert set(fit_inputs({"open": _zeros(7, 4)}, [OPEN], {})) == {"open"}


def test_no_wanted_outputs_means_all() -> None:
    assert wanted_outputs((), [IMAGE, OPEN], {}) == {"image": "image", "open": "open"}


def test_outputs_are_answered_under_the_names_asked_for() -> None:
    assert wanted_outputs(("alias",), [IMAGE, OPEN], {"alias": "open"}) == {"alias": "open"}


def test_unknown_output_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownOutput, match=r"nonsense.*image, open"):
        wanted_outputs(("nonsense",), [IMAGE, OPEN], {})
