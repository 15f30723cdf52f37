"""Outputs as classes: Triton's classification extension."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_server.transports.kserve_tensors import best_classes


@pytest.mark.parametrize(
    ("array", "count", "expected"),
    [
        (np.array([1, 5, 10, 4], np.int32), 2, [b"10:2", b"5:1"]),
        (np.array([[1.1, 3.3], [2.5, 0.5]], np.float32), 1, [[b"3.300000:1"], [b"2.500000:0"]]),
        (np.array([[7, 7, 7]], np.uint8), 2, [[b"7:0", b"7:1"]]),
        (np.array([[1, 2]], np.int64), 9, [[b"2:1", b"1:0"]]),
        (np.array([np.nan, 0.5, 0.7], np.float32), 2, [b"0.700000:2", b"0.500000:1"]),
        (np.arange(4, dtype=np.float16).reshape(1, 4, 1, 1), 1, [[b"3.000000:3"]]),
    ],
    ids=["one row", "a row each", "ties", "more than there are", "no number", "flattened"],
)
def test_the_highest_values_come_first(
    array: NDArray[Any], count: int, expected: list[Any]
) -> None:
    assert best_classes(array, count, ()).tolist() == expected


def test_labels_are_added_as_far_as_there_are_any() -> None:
    texts = best_classes(np.array([[3, 9, 5]]), 3, ("apple", "pickle"))
    assert texts.tolist() == [[b"9:1:pickle", b"5:2", b"3:0:apple"]]
