"""A parked object is one object, whatever passes in front of it."""

import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.tracking.parked import PARKED_AFTER_S, REMEMBERED_S, ParkedObjects
from camfleet_contracts.cameras import Pipeline
from fakes_analytics import boxes
from offline_counting import Film, analysed

PARKED = (100.0, 200.0, 200.0, 260.0)
FPS = 5


def seen(*tracks: tuple[int, float]) -> Detections:
    """Objects by id, each with its box that far to the right of the parked one."""
    shifted = [(PARKED[0] + x, PARKED[1], PARKED[2] + x, PARKED[3]) for _, x in tracks]
    return boxes(*shifted).with_tracker_ids(np.array([one for one, _ in tracks], np.int64))


def ids(parked: ParkedObjects, found: Detections, now_s: float) -> list[int]:
    lasting = parked.apply(found, now_s).tracker_id
    assert lasting is not None
    return [int(one) for one in lasting]


def stood(seconds: float) -> ParkedObjects:
    """Object 1 stood in its place from time 0 on."""
    parked = ParkedObjects()
    for step in range(int(seconds * FPS) + 1):
        assert ids(parked, seen((1, step % 2)), step / FPS) == [1]
    return parked


@pytest.mark.parametrize(
    ("stood_s", "hidden_s", "x", "expected"),
    [
        (5, 10, 4, [1]),
        (5, REMEMBERED_S + 5, 0, [2]),
        (PARKED_AFTER_S - 1, 1.5, 0, [2]),
        (5, 10, 60, [2]),
    ],
    ids=["hidden for ten seconds", "gone for longer", "never parked", "in another place"],
)
def test_a_new_track_in_the_place_of_a_parked_object(
    stood_s: float, hidden_s: float, x: float, expected: list[int]
) -> None:
    assert ids(stood(stood_s), seen((2, x)), stood_s + hidden_s) == expected


def test_who_stands_before_a_parked_object_is_somebody_else() -> None:
    parked = stood(5)
    assert ids(parked, seen((1, 0), (2, 3)), 5.2) == [1, 2]


def test_what_drives_away_is_not_confused_with_what_parks_there_next() -> None:
    parked = stood(5)
    for step in range(1, 11):
        assert ids(parked, seen((1, 30.0 * step)), 5 + step / FPS) == [1]
    assert ids(parked, seen((1, 330), (2, 0)), 7.4) == [1, 2]


def test_a_track_that_the_tracker_finds_again_itself_keeps_its_identity() -> None:
    parked = stood(5)
    assert ids(parked, seen((2, 3)), 5.4) == [1]
    assert ids(parked, seen((1, 0), (2, 3)), 5.6) == [1, 2]


def test_memory_is_bounded_while_a_parked_object_is_hidden_again_and_again() -> None:
    parked = stood(5)
    for number in range(2, 500):
        assert ids(parked, seen((number, 0)), 10.0 * number) == [1]
    assert len(parked._rests) + len(parked._same_as) == 2


def test_memory_is_bounded() -> None:
    parked = ParkedObjects()
    for number in range(2000):
        ids(parked, seen((number, 7 * (number % 50))), number / FPS)
    assert len(parked._rests) + len(parked._same_as) < 50


def test_a_parked_car_hidden_by_lorries_stays_one_track() -> None:
    _, findings = analysed(Pipeline(), car_behind_lorries(), (640, 360))
    cars = {
        track
        for one in findings
        if one.objects.tracker_id is not None
        for track, box in zip(one.objects.tracker_id.tolist(), one.objects.xyxy, strict=True)
        if box[0] == PARKED[0]
    }
    assert cars == {1}


def test_a_parked_car_hidden_by_lorries_stays_in_its_zone() -> None:
    around = [(0.15, 0.69), (0.32, 0.69), (0.32, 0.75), (0.15, 0.75)]
    pipeline = Pipeline.model_validate({"zones": [{"name": "drive", "polygon": around}]})
    _, findings = analysed(pipeline, car_behind_lorries(), (640, 360))
    told = [(event.happening, event.track_id) for one in findings for event in one.zone_events]
    assert told == [("entered", 1)]


@pytest.mark.parametrize(("after_s", "expected"), [(4, {1}), (6, set())])
def test_a_parked_object_is_taken_for_hidden_no_longer_than_it_stood(
    after_s: float, expected: set[int]
) -> None:
    assert stood(5).hidden(5 + after_s) == expected


def car_behind_lorries() -> Film:
    """Three minutes in which the car is hidden for eight seconds of every twenty."""
    for step in range(180 * FPS):
        time_s = step / FPS
        passing = (time_s % 20 - 12) * 70
        lorry = (passing - 100, 120.0, passing + 120, 280.0)
        is_hidden = time_s % 20 >= 12
        yield time_s, boxes(lorry) if is_hidden else boxes(PARKED)
