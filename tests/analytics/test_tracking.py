"""Tracking and class votes, on made-up boxes and on the real highway clip."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.lines import LineCounter, LineShape
from camfleet.tracking.bytetrack import BadTrackerParameters, ByteTracker
from camfleet.tracking.class_vote import ClassVote
from camfleet.tracking.tracker import UnknownTracker, create_tracker
from camfleet_contracts.cameras import Pipeline, Tracker
from direct_inference import load_direct
from fakes_analytics import boxes


def moving(tracker: ByteTracker, start_s: float, frames: int, confidence: float = 0.9) -> list[int]:
    """One object moves to the right at ten frames a second; the ids it was given."""
    ids: list[int] = []
    for step in range(frames):
        x = 10.0 + 3 * step
        seen = boxes((x, 10, x + 40, 60), confidence=confidence)
        found = tracker.update(seen, start_s + step / 10)
        assert found.tracker_id is not None
        ids.extend(found.tracker_id.tolist())
    return ids


def test_an_object_keeps_one_id_once_it_is_confirmed() -> None:
    assert moving(ByteTracker(10, 0.5, {}), 0.0, 6) == [1] * 5


def test_ids_go_on_after_a_new_connection() -> None:
    tracker = ByteTracker(10, 0.5, {})
    moving(tracker, 100.0, 4)
    assert moving(tracker, 0.0, 4) == [2] * 3


def test_weak_boxes_start_no_track() -> None:
    assert moving(ByteTracker(10, 0.5, {}), 0.0, 6, confidence=0.4) == []


def test_two_classes_at_one_place_are_one_object() -> None:
    tracker = ByteTracker(10, 0.5, {})
    twice = boxes((10, 10, 50, 60), (11, 10, 51, 60))
    tracker.update(twice, 0.0)
    assert len(tracker.update(twice, 0.1)) == 1


def test_unknown_tracker_parameter_is_named() -> None:
    with pytest.raises(BadTrackerParameters, match="colour"):
        ByteTracker(10, 0.5, {"colour": "red"}).prepare()


def test_unavailable_kind_says_what_to_use() -> None:
    with pytest.raises(UnknownTracker, match="'sort' is not available yet; use bytetrack"):
        create_tracker(Pipeline(tracker=Tracker(kind="sort")))


def test_class_of_a_track_is_decided_by_its_votes() -> None:
    vote = ClassVote()
    for label, confidence in [("truck", 0.5), ("car", 0.9), ("car", 0.8), ("truck", 0.6)]:
        named = named_object(label, confidence)
        elected = vote.apply(named)
    assert elected.labels == ("car",)
    assert elected.class_id.tolist() == [hash("car") % 100]


def named_object(label: str, confidence: float) -> Detections:
    found = boxes((0, 0, 10, 10), label=label, confidence=confidence)
    class_id = np.array([hash(label) % 100])
    return Detections(found.xyxy, found.confidence, class_id, (label,), np.array([7]))


@pytest.fixture(scope="module")
def highway(shared_data: Path) -> list[tuple[float, Detections]]:
    """The detections of fastestdet-coco ten times a second."""
    model = load_direct(shared_data, "fastestdet-coco")
    clip = shared_data / "media" / "clips" / "highway-a-320x240.mp4"
    chosen = islice(pictures_of(clip), 0, None, 3)  # the clip has 30 frames a second
    return [(time_s, model.detect(picture, 0.3)) for time_s, picture in chosen]


def pictures_of(clip: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    with av.open(str(clip)) as container:
        for picture in container.decode(video=0):
            assert picture.pts is not None
            assert picture.time_base is not None
            yield float(picture.pts * picture.time_base), picture


@pytest.mark.parametrize("fps", [10, 5])
def test_highway_counts_27_down_and_none_up(
    highway: list[tuple[float, Detections]], fps: int
) -> None:
    tracker, vote = ByteTracker(fps, 0.5, {}), ClassVote()
    counter = LineCounter(LineShape("gate", (0, 150 / 240), (1, 150 / 240)))
    for time_s, found in highway[:: 10 // fps]:
        strong = found.select(found.confidence >= tracker.lowest_confidence)
        counter.update(vote.apply(tracker.update(strong, time_s)), (320, 240))
    assert counter.count.entered == pytest.approx(27, abs=3)
    assert counter.count.left <= 2
