"""Tracking and class votes, on made-up boxes."""

from datetime import UTC, datetime

import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.service.analysis import Analysis
from camfleet.tracking.box_tracker import ALGORITHMS, BadTrackerParameters, BoxTracker
from camfleet.tracking.class_vote import ClassVote
from camfleet.tracking.tracker import Tracker as AnyTracker
from camfleet.tracking.tracker import create_tracker
from camfleet.video.frames import Frame
from camfleet_contracts.cameras import Pipeline, Tracker
from fakes_analytics import boxes, picture, served


def moving(tracker: AnyTracker, start_s: float, frames: int, confidence: float = 0.9) -> list[int]:
    """One object moves to the right at ten frames a second; the ids it was given."""
    ids: list[int] = []
    for step in range(frames):
        x = 10.0 + 3 * step
        seen = boxes((x, 10, x + 40, 60), confidence=confidence)
        found = tracker.update(seen, start_s + step / 10)
        assert found.tracker_id is not None
        ids.extend(found.tracker_id.tolist())
    return ids


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_an_object_keeps_one_id_once_it_is_confirmed(kind: str) -> None:
    ids = moving(BoxTracker(kind, 0.5, {}), 0.0, 8)
    assert len(ids) >= 6
    assert set(ids) == {1}


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_ids_go_on_after_a_new_connection(kind: str) -> None:
    tracker = BoxTracker(kind, 0.5, {})
    moving(tracker, 100.0, 5)
    assert set(moving(tracker, 0.0, 5)) == {2}


@pytest.mark.parametrize(
    ("wanted", "confidence", "starts"),
    [(0.5, 0.4, False), (0.5, 0.55, False), (0.5, 0.65, True), (0.95, 0.97, True)],
)
def test_a_track_starts_a_tenth_above_the_confidence_that_is_wanted(
    wanted: float, confidence: float, starts: bool
) -> None:
    assert (
        bool(moving(BoxTracker("bytetrack", wanted, {}), 0.0, 6, confidence=confidence)) is starts
    )


def test_a_weak_box_keeps_its_track_and_is_not_told() -> None:
    tracker = BoxTracker("bytetrack", 0.5, {})
    assert set(moving(tracker, 0.0, 4)) == {1}
    assert moving(tracker, 0.4, 1, confidence=0.3) == []
    assert set(moving(tracker, 0.5, 2)) == {1}


def test_a_second_frame_of_one_moment_begins_anew() -> None:
    tracker = BoxTracker("bytetrack", 0.5, {})
    moving(tracker, 100.0, 5)
    assert set(moving(tracker, 100.4, 3)) == {2}


def test_how_far_a_box_may_jump_is_not_told_by_the_clock_of_the_former_connection() -> None:
    tracker = BoxTracker("bytetrack", 0.5, {})
    moving(tracker, 100.0, 5)
    tracker.restart()
    moving(tracker, 0.0, 1)
    assert tracker._tracker.minimum_iou_threshold >= 0


def test_parameters_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(BoxTracker, "_try", lambda _: tried.append("once"))
    moving(BoxTracker("bytetrack", 0.5, {}), 0.0, 3)
    assert tried == ["once"]


def test_two_classes_at_one_place_are_one_object() -> None:
    tracker = BoxTracker("bytetrack", 0.5, {})
    twice = boxes((10, 10, 50, 60), (11, 10, 51, 60))
    tracker.update(twice, 0.0)
    assert len(tracker.update(twice, 0.1)) == 1


@pytest.mark.parametrize(("fps", "ids"), [(2, {1}), (30, set())], ids=["slow", "fast"])
def test_how_far_a_box_may_jump_follows_the_rate_at_which_frames_come(
    fps: int, ids: set[int]
) -> None:
    tracker = BoxTracker("bytetrack", 0.5, {})
    seen: list[int] = []
    for step in range(4):
        x = 30.0 * step  # a quarter of the box is where it was
        found = tracker.update(boxes((x, 10, x + 40, 60)), step / fps).tracker_id
        assert found is not None
        seen.extend(found.tolist())
    assert set(seen) == ids


def test_unknown_tracker_parameter_is_named() -> None:
    with pytest.raises(BadTrackerParameters, match="colour"):
        BoxTracker("bytetrack", 0.5, {"colour": "red"}).prepare()


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_tracker_parameter_that_fails_with_the_first_frames_is_named(kind: str) -> None:
    with pytest.raises(BadTrackerParameters, match="minimum_consecutive_frames: abc"):
        BoxTracker(kind, 0.5, {"minimum_consecutive_frames": "abc"}).prepare()


def test_what_only_a_moving_camera_needs_cannot_be_switched_on() -> None:
    with pytest.raises(BadTrackerParameters, match="enable_cmc"):
        BoxTracker("botsort", 0.5, {"enable_cmc": True}).prepare()


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_pipeline_has_the_tracker_it_asks_for(kind: str) -> None:
    tracker = create_tracker(Pipeline(tracker=Tracker.model_validate({"kind": kind})))
    assert tracker.algorithm == ALGORITHMS[kind].name


def test_ids_begin_after_those_that_were_given_before() -> None:
    assert set(moving(create_tracker(Pipeline(fps=10), after_id=7), 0.0, 5)) == {8}


def test_class_of_a_track_is_decided_by_its_votes() -> None:
    vote = ClassVote()
    for label, confidence in [("truck", 0.5), ("car", 0.9), ("car", 0.8), ("truck", 0.6)]:
        named = named_object(label, confidence)
        elected = vote.apply(named)
    assert elected.labels == ("car",)
    assert elected.class_id.tolist() == [hash("car") % 100]


def test_votes_for_one_model_do_not_name_what_the_next_version_sees() -> None:
    analysis, blank = Analysis(Pipeline(model="cars", fps=10), {}), picture(64, 64)
    moment = datetime.now(UTC)
    labels = []
    for number in range(12):
        version = 1 if number < 8 else 2
        found = boxes((10, 10, 40, 40), label="truck" if version == 1 else "car")
        frame = Frame(blank, number, number / 10, moment, moment, number / 10, 1)
        labels.append(set(analysis.look(found, served(version), frame).objects.labels))
    assert {"truck"} in labels[:8]
    assert labels[8:] == [{"car"}] * 4


def named_object(label: str, confidence: float) -> Detections:
    found = boxes((0, 0, 10, 10), label=label, confidence=confidence)
    class_id = np.array([hash(label) % 100])
    return Detections(found.xyxy, found.confidence, class_id, (label,), np.array([7]))
