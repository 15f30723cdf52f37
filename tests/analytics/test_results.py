"""The values that services answer with."""

import numpy as np
import pytest

from camfleet import BoundingBox, ObjectDetectionPrediction
from camfleet.detections import Detections
from camfleet.errors import BadArgument
from camfleet.results.conversion import predictions_from


def test_box_knows_its_measures() -> None:
    box = BoundingBox(120, 349, 454, 599)

    assert (box.width, box.height, box.area) == (334, 250, 83_500)
    assert box.center == (287.0, 474.0)


def test_box_rounds_numbers_of_other_kinds() -> None:
    box = BoundingBox(np.float32(1.6), np.int64(2), 3.4, 4)  # type: ignore[arg-type]  # as scripts do

    assert box.corners() == (2, 2, 3, 4)
    assert all(type(corner) is int for corner in box.corners())


def test_box_refuses_what_is_no_number() -> None:
    with pytest.raises(BadArgument, match="end_x is nan"):
        BoundingBox(0, 0, float("nan"), 1)  # type: ignore[arg-type]  # what is refused


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        pytest.param(BoundingBox(0, 0, 10, 10), 1.0, id="the-same"),
        pytest.param(BoundingBox(5, 0, 15, 10), 50 / 150, id="half-beside"),
        pytest.param(BoundingBox(10, 0, 20, 10), 0.0, id="touching"),
        pytest.param(BoundingBox(30, 30, 40, 40), 0.0, id="apart"),
        pytest.param(BoundingBox(2, 2, 4, 4), 4 / 100, id="inside"),
    ],
)
def test_overlap_is_intersection_over_union(other: BoundingBox, overlap: float) -> None:
    assert BoundingBox(0, 0, 10, 10).compute_overlap(other) == pytest.approx(overlap)


def test_overlap_of_boxes_without_inside_is_nothing() -> None:
    assert BoundingBox(1, 1, 1, 1).compute_overlap(BoundingBox(1, 1, 1, 1)) == 0.0


def test_predictions_are_those_of_the_detections_in_whole_pixels() -> None:
    found = Detections(
        xyxy=np.array([[1.4, 2.6, 30, 40]], np.float32),
        confidence=np.array([0.75], np.float32),
        class_id=np.array([3], np.int64),
        labels=("car",),
    )

    predictions = predictions_from(found)

    assert predictions == [ObjectDetectionPrediction(BoundingBox(1, 3, 30, 40), 0.75, "car", 3)]
