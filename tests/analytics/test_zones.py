"""Zones: coming, going, staying, and objects that are not seen any more."""

import pytest

from camfleet.detections import no_detections
from camfleet.lines import Point
from camfleet.zones import LOST_AFTER_S, ZoneEvent, ZoneShape, ZoneWatcher
from fakes_analytics import standing_at

SIZE = (200, 100)
RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
OUTSIDE, INSIDE = (40.0, 60.0), (150.0, 60.0)


def watcher(**settings: object) -> ZoneWatcher:
    return ZoneWatcher(ZoneShape("porch", RIGHT_HALF, **settings))  # type: ignore[arg-type] # a test's shorthand


def visit(zone: ZoneWatcher, *anchors: Point) -> list[ZoneEvent]:
    """One object is seen at each place, a second after the other."""
    return [
        event
        for second, anchor in enumerate(anchors)
        for event in zone.update(standing_at(anchor), SIZE, float(second))
    ]


def test_coming_in_and_going_out_are_told_with_the_time_between() -> None:
    events = visit(watcher(), OUTSIDE, INSIDE, INSIDE, OUTSIDE)
    assert [(event.happening, event.dwell_s) for event in events] == [("entered", 0), ("left", 2)]


def test_a_stay_has_an_id_of_its_own_from_coming_to_leaving() -> None:
    events = visit(watcher(loiter_after_s=1.0), INSIDE, INSIDE, OUTSIDE, INSIDE)
    came, dwelt, left, again = (event.stay_id for event in events)
    assert came == dwelt == left != again


def test_an_object_that_begins_inside_has_entered() -> None:
    assert [event.happening for event in visit(watcher(), INSIDE)] == ["entered"]


def test_trembling_on_the_border_is_nothing() -> None:
    border = [(99.0, 60.0), (101.0, 60.0)] * 5
    assert visit(watcher(), OUTSIDE, *border) == []


def test_a_tall_object_is_inside_once_it_is_a_tenth_of_its_height_beyond_the_border() -> None:
    zone = watcher()
    assert zone.update(standing_at((105.0, 60.0), height=60), SIZE, 0.0) == []
    assert len(zone.update(standing_at((107.0, 60.0), height=60), SIZE, 1.0)) == 1


def test_trembling_on_the_border_does_not_end_a_stay() -> None:
    zone = watcher()
    visit(zone, INSIDE, (99.0, 60.0), (101.0, 60.0))
    assert zone.occupancy == {"car": 1}


def test_loitering_is_told_once() -> None:
    events = visit(watcher(loiter_after_s=2.0), *[INSIDE] * 6)
    assert [event.happening for event in events] == ["entered", "dwelt"]


def test_occupancy_is_by_label_and_told_with_every_event() -> None:
    zone = watcher()
    events = zone.update(standing_at(INSIDE, (160.0, 70.0)), SIZE, 0.0)
    assert [event.occupancy for event in events] == [1, 2]
    assert zone.occupancy == {"car": 2}


def test_other_labels_do_not_count() -> None:
    assert watcher(labels=("truck",)).update(standing_at(INSIDE), SIZE, 0.0) == []


def test_an_object_not_seen_any_more_has_left_after_a_while() -> None:
    zone = watcher()
    visit(zone, INSIDE, INSIDE)
    assert zone.update(no_detections(), SIZE, 1.0 + LOST_AFTER_S) == []
    gone = zone.update(no_detections(), SIZE, 1.1 + LOST_AFTER_S)
    assert [(event.happening, event.dwell_s) for event in gone] == [("left", 1.0)]


def test_a_parked_object_that_is_hidden_has_not_left() -> None:
    zone = watcher()
    visit(zone, INSIDE, INSIDE)
    assert zone.update(no_detections(), SIZE, 30.0, hidden={1}) == []
    assert zone.occupancy == {"car": 1}


def test_a_new_stream_empties_the_zone() -> None:
    zone = watcher()
    visit(zone, INSIDE)
    assert [event.happening for event in zone.restart()] == ["left"]
    assert zone.occupancy == {}


@pytest.mark.parametrize("size", [(200, 100), (1920, 1080)], ids=["small", "full HD"])
def test_the_zone_grows_with_the_picture(size: tuple[int, int]) -> None:
    anchor = (0.75 * size[0], 0.6 * size[1])
    assert len(watcher().update(standing_at(anchor), size, 0.0)) == 1
