"""Counting lines: direction, hysteresis, the segment and not its prolongation."""

import pytest

from camfleet.detections import Detections
from camfleet.lines import LineCounter, LineShape, Point
from fakes_analytics import standing_at

SIZE = (100, 100)
ACROSS = LineShape("gate", (0.0, 0.5), (1.0, 0.5))


def walk(
    counter: LineCounter,
    *anchors: Point,
    label: str = "car",
    height: float = 20,
    size: tuple[int, int] = SIZE,
) -> list[str]:
    """One object visits the anchors one after the other; the directions it crossed in."""
    return [
        crossing.direction
        for anchor in anchors
        for crossing in counter.update(standing_at(anchor, label=label, height=height), size, 0.0)
    ]


def test_down_the_picture_over_a_line_from_left_to_right_is_in() -> None:
    assert walk(LineCounter(ACROSS), (50, 30), (50, 45), (50, 60)) == ["in"]


def test_up_the_picture_over_a_line_from_left_to_right_is_out() -> None:
    assert walk(LineCounter(ACROSS), (50, 70), (50, 55), (50, 40)) == ["out"]


@pytest.mark.parametrize(
    ("start", "end", "first", "last", "direction"),
    [
        ((1.0, 0.5), (0.0, 0.5), (50, 30), (50, 70), "out"),
        ((0.5, 0.0), (0.5, 1.0), (70, 50), (30, 50), "in"),
        ((0.5, 0.0), (0.5, 1.0), (30, 50), (70, 50), "out"),
        ((0.5, 1.0), (0.5, 0.0), (30, 50), (70, 50), "in"),
    ],
    ids=["right to left", "down, going left", "down, going right", "up, going right"],
)
def test_left_hand_to_right_hand_of_the_walk_is_in(
    start: Point, end: Point, first: Point, last: Point, direction: str
) -> None:
    assert walk(LineCounter(LineShape("l", start, end)), first, last) == [direction]


def test_trembling_on_the_line_counts_nothing() -> None:
    counter = LineCounter(ACROSS)
    assert walk(counter, (50, 49), (50, 51), (50, 49), (50, 51), (50, 48.5), (50, 51.5)) == []


def test_a_tall_object_has_crossed_once_it_is_a_tenth_of_its_height_beyond_the_line() -> None:
    counter = LineCounter(ACROSS)
    assert walk(counter, (50, 30), (50, 55), height=60) == []
    assert walk(counter, (50, 57), height=60) == ["in"]


@pytest.mark.parametrize(("x", "crossed"), [(90, []), (110, ["in"]), (290, ["in"]), (310, [])])
def test_a_line_lies_where_it_was_drawn_in_a_wide_picture(x: int, crossed: list[str]) -> None:
    counter = LineCounter(LineShape("gate", (0.25, 0.5), (0.75, 0.5)))
    assert walk(counter, (x, 30), (x, 70), size=(400, 100)) == crossed


def test_turning_back_on_the_line_counts_nothing() -> None:
    assert walk(LineCounter(ACROSS), (50, 30), (50, 51), (50, 30)) == []


def test_slow_crossing_counts_once() -> None:
    steps = [(50.0, 40 + step) for step in range(20)]
    assert walk(LineCounter(ACROSS), *steps) == ["in"]


def test_passing_beside_the_end_of_the_line_counts_nothing() -> None:
    counter = LineCounter(LineShape("short", (0.0, 0.5), (0.4, 0.5)))
    assert walk(counter, (60, 30), (60, 70)) == []


def test_jump_over_the_line_between_two_frames_counts() -> None:
    assert walk(LineCounter(ACROSS), (50, 5), (50, 95)) == ["in"]


def test_other_labels_are_not_counted() -> None:
    counter = LineCounter(LineShape("gate", (0, 0.5), (1, 0.5), labels=("person",)))
    assert walk(counter, (50, 30), (50, 70), label="car") == []
    assert walk(counter, (50, 30), (50, 70), label="person") == ["in"]


def test_counts_are_kept_per_direction_and_label() -> None:
    counter = LineCounter(ACROSS)
    walk(counter, (50, 30), (50, 70), (50, 30), (50, 70))
    assert (counter.count.entered, counter.count.left) == (2, 1)
    assert counter.count.by_label == {"car": {"in": 2, "out": 1}}


def test_objects_without_identity_are_not_counted() -> None:
    counter = LineCounter(ACROSS)
    boxes = standing_at((50, 30))
    nameless = Detections(boxes.xyxy, boxes.confidence, boxes.class_id, boxes.labels)
    assert counter.update(nameless, SIZE, 0.0) == []
