"""The trackers of predictions: identities, callbacks, limits."""

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet.errors import BadArgument
from camfleet.object_trackers.algorithm import TrackerAlgorithm
from camfleet.object_trackers.centroid import CentroidTracker
from camfleet.object_trackers.correlation import CorrelationTracker, TrackingState
from camfleet.object_trackers.errors import CallbackFailed
from camfleet.object_trackers.kalman import KalmanTracker
from camfleet.object_trackers.matching import match_greedy
from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults
from moving import seen

SIMPLE = [CentroidTracker, KalmanTracker]


@pytest.mark.parametrize("tracker_of", SIMPLE)
def test_objects_keep_their_ids_while_they_move(tracker_of: Any) -> None:
    tracker = tracker_of(min_inertia=1, max_distance=30)
    for step in range(30):
        results = tracker.update([seen(100 + 10 * step, 100), seen(400 - 5 * step, 300)])
    assert results.tracking_algorithm == tracker_of.__name__
    assert sorted(results) == [0, 1]
    assert results[0].box.center == (390, 100)
    assert results[1].box.center == (255, 300)
    assert (results[0].hits, results[0].age, len(results[0].history)) == (30, 29, 30)


@pytest.mark.parametrize("tracker_of", SIMPLE)
def test_object_enters_when_it_was_seen_often_enough_and_exits_when_it_is_gone(
    tracker_of: Any,
) -> None:
    told: list[tuple[str, int, str]] = []
    tracker = tracker_of(
        deregister_frames=2,
        min_inertia=3,
        max_distance=50,
        enter_cb=lambda i, one: told.append(("enter", i, one.label)),
        exit_cb=lambda i, one: told.append(("exit", i, one.label)),
    )
    lengths = [len(tracker.update([seen(50, 50)])) for _ in range(3)]
    assert lengths == [0, 0, 1]
    assert told == [("enter", 0, "person")]
    missing = [tracker.update([]) for _ in range(3)]
    assert [len(one) for one in missing] == [1, 1, 0]
    assert told == [("enter", 0, "person"), ("exit", 0, "person")]
    for _ in range(3):
        again = tracker.update([seen(50, 50)])
    assert list(again) == [1]


def test_what_flickers_once_gets_no_id() -> None:
    tracker = CentroidTracker(min_inertia=2)
    for step in range(10):
        assert not tracker.update([seen(50, 50)] if step % 2 else [])


def test_unseen_object_stays_with_its_last_box_and_says_for_how_long() -> None:
    tracker = CentroidTracker(min_inertia=1)
    tracker.update([seen(70, 60)])
    tracker.update([])
    (one,) = tracker.update([]).values()
    assert (one.disappeared_frames, one.is_lost, one.box.center) == (2, False, (70, 60))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, "got NoneType"),
        ([seen(1, 1), 2], "got 2 in it"),
        (
            ObjectDetectionResults([], 0.1, "m"),
            "got ObjectDetectionResults; give its `predictions`",
        ),
    ],
)
def test_what_is_no_list_of_predictions_is_refused_and_no_frame(given: Any, text: str) -> None:
    tracker = CentroidTracker(min_inertia=1)
    tracker.update([seen(50, 50)])
    with pytest.raises(TypeError, match=text):
        tracker.update(given)
    assert [one.age for one in tracker.update([seen(50, 50)]).values()] == [1]


def test_annotations_of_edgeiq_may_name_what_is_followed() -> None:
    followed: Any = TrackablePrediction
    assert TrackingResults[followed[ObjectDetectionPrediction]] is not None


def test_followed_object_says_what_it_is() -> None:
    results = CentroidTracker(min_inertia=1).update([seen(50, 50)])
    assert repr(results[0]) == (
        "TrackablePrediction(tid=0, label='person', confidence=0.90, box=BoundingBox(start_x=30, "
        "start_y=30, end_x=70, end_y=70), hits=1, disappeared_frames=0)"
    )


def test_kalman_tracker_keeps_two_apart_that_cross_and_centroid_is_told_to_be_simple() -> None:
    tracker = KalmanTracker(min_inertia=1, max_distance=60)
    for step in range(40):
        results = tracker.update([seen(100 + 10 * step, 200), seen(500 - 10 * step, 206)])
    assert results[0].box.center[0] == 490
    assert results[1].box.center[0] == 110


def test_kalman_tracker_finds_an_object_again_where_it_must_be() -> None:
    tracker = KalmanTracker(min_inertia=1, max_distance=40)
    for step in range(10):
        tracker.update([seen(100 + 12 * step, 100)])
    for _ in range(6):
        (one,) = tracker.update([]).values()
    x, y = one.estimated_position
    assert (x, y) == pytest.approx((280, 100), abs=8)
    assert one.estimated_velocity == pytest.approx((12, 0), abs=1)
    assert list(tracker.update([seen(292, 100)])) == [0]


@pytest.mark.parametrize(
    ("limits", "size", "is_same"),
    [
        ({"max_distance": 30}, 40, False),
        ({"max_distance": 60}, 40, True),
        ({"max_distance_norm": 0.5}, 40, False),
        ({"max_distance_norm": 1.0}, 40, True),
        ({}, 40, True),
        ({}, 20, False),
    ],
)
def test_limit_of_distance_is_in_pixels_or_in_boxes(
    limits: dict[str, float], size: int, is_same: bool
) -> None:
    tracker = CentroidTracker(min_inertia=1, **limits)  # type: ignore[arg-type]  # a table's row
    tracker.update([seen(100, 100, size=size)])
    results = tracker.update([seen(150, 100, size=size)])
    assert (list(results) == [0]) is is_same


def test_bad_limits_are_refused() -> None:
    with pytest.raises(BadArgument, match="not both"):
        KalmanTracker(max_distance=5, max_distance_norm=1)
    with pytest.raises(BadArgument, match="expected a number above 0"):
        CentroidTracker(max_distance=0)
    with pytest.raises(BadArgument, match="deregister_frames is -1"):
        CentroidTracker(deregister_frames=-1)


def test_predictions_below_the_threshold_are_left_out() -> None:
    tracker = CentroidTracker(min_inertia=1, confidence_threshold=0.5)
    assert len(tracker.update([seen(50, 50, confidence=0.4), seen(200, 50)])) == 1


def test_callback_that_raises_is_named_and_costs_no_track() -> None:
    def greet(object_id: int, prediction: TrackablePrediction) -> None:
        raise RuntimeError(f"no {prediction.label} {object_id} wanted")

    tracker = CentroidTracker(min_inertia=1, enter_cb=greet)
    with pytest.raises(CallbackFailed, match=r"enter_cb .*greet failed for object 0") as caught:
        tracker.update([seen(50, 50), seen(200, 50)])
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "object 1" in caught.value.__notes__[0]
    assert sorted(caught.value.results) == [0, 1]
    assert sorted(tracker.update([seen(52, 50), seen(198, 50)])) == [0, 1]


def test_removed_id_exits_and_is_not_given_again() -> None:
    gone: list[int] = []
    tracker = CentroidTracker(min_inertia=1, exit_cb=lambda i, _: gone.append(i))
    tracker.update([seen(50, 50)])
    tracker.remove_id(0)
    assert gone == [0]
    assert list(tracker.update([seen(50, 50)])) == [1]
    with pytest.raises(KeyError, match="no object 7 is followed; there are: 1"):
        tracker.remove_id(7)


def test_label_may_be_written_over_until_the_next_frame() -> None:
    tracker = CentroidTracker(min_inertia=1)
    prediction = seen(50, 50)
    (one,) = tracker.update([prediction]).values()
    one.label = f"{one.label} 0"
    assert (one.label, prediction.label) == ("person 0", "person")
    (one,) = tracker.update([seen(50, 50)]).values()
    assert one.label == "person"


@pytest.mark.parametrize("tracker_of", SIMPLE)
def test_tracker_kept_in_a_file_goes_on_where_it_was(tracker_of: Any) -> None:
    tracker = tracker_of(min_inertia=1)
    tracker.update([seen(100, 100)])
    again = pickle.loads(pickle.dumps(tracker))  # noqa: S301 - our own
    assert list(again.update([seen(105, 100)])) == [0]


def test_history_is_as_long_as_asked_for() -> None:
    tracker = CentroidTracker(min_inertia=1, history_length=3)
    for step in range(6):
        (one,) = tracker.update([seen(50 + step, 50)]).values()
    assert [past.box.center[0] for past in one.history] == [53, 54, 55]


def test_nearest_pairs_are_chosen_first() -> None:
    distances = np.array([[5.0, 1.0], [2.0, 1.5], [math.inf, math.inf]])
    assert match_greedy(distances) == [(0, 1), (1, 0)]


def test_own_tracker_is_built_on_the_base() -> None:
    class Counted(TrackablePrediction):
        steps = 0

        def step(self, **_: Any) -> None:
            super().step()
            self.steps += 1

    def by_label(followed: TrackablePrediction, found: ObjectDetectionPrediction) -> float:
        return 0.0 if followed.label == found.label else math.inf

    tracker = TrackerAlgorithm(5, 1, 10, None, None, Counted, by_label, match_greedy)
    tracker.update([seen(10, 10, "cat"), seen(500, 10, "dog")])
    results = tracker.update([seen(500, 10, "cat"), seen(10, 10, "dog")])
    assert [one.box.center[0] for one in results.values()] == [500, 10]
    assert results[0].steps == 1


def scene(x: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A textured square at x on a textured ground."""
    random = np.random.default_rng(3)
    image = random.integers(90, 110, (200, 400, 3), np.uint8)
    image[80:120, x - 20 : x + 20] = random.integers(0, 255, (40, 40, 3), np.uint8)
    return image


def test_correlation_tracker_follows_in_the_picture_what_the_detector_misses() -> None:
    tracker = CorrelationTracker(deregister_frames=20, max_distance=60)
    tracker.update([seen(60, 100)], scene(60))
    for step in range(1, 11):
        results = tracker.update([], scene(60 + 5 * step))
    assert results[0].state is TrackingState.REDETECT
    assert results[0].box.center == pytest.approx((110, 100), abs=4)
    results = tracker.update([seen(115, 100)], scene(115))
    assert (list(results), results[0].state) == ([0], TrackingState.DETECT)


def test_correlation_tracker_follows_no_more_than_it_may() -> None:
    tracker = CorrelationTracker(max_objects=1)
    both = [seen(60, 100), seen(300, 100, confidence=0.5)]
    tracker.update(both, scene(60))
    results = tracker.update([], scene(65))
    assert sum(one.state is TrackingState.REDETECT for one in results.values()) == 1


def test_correlation_tracker_bears_boxes_at_the_edge_and_new_sizes() -> None:
    tracker = CorrelationTracker()
    outside = ObjectDetectionPrediction(BoundingBox(-50, -50, 3, 3), 0.9, "person", 0)
    tracker.update([outside, seen(395, 195)], scene(60))
    tracker.update([], scene(60))
    assert len(tracker.update([], np.zeros((100, 100, 3), np.uint8))) == 2


@pytest.mark.parametrize("tracker_of", [CentroidTracker, KalmanTracker], ids=["centroid", "kalman"])
def test_visits_of_a_recorded_scene_are_counted(shared_data: Path, tracker_of: Any) -> None:
    expected = json.loads((shared_data / "expected/clip-one-by-one-768x432.json").read_text())
    entered: list[int] = []
    tracker = tracker_of(
        deregister_frames=15, min_inertia=6, enter_cb=lambda i, _: entered.append(i)
    )
    for _, found in expected["per_frame"]:
        tracker.update(
            [
                ObjectDetectionPrediction(BoundingBox(*box), score, label, 0)
                for label, score, *box in found
                if label == "person" and score >= 0.5
            ]
        )
    assert len(entered) == expected["distinct_visits"]
