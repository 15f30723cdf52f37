"""Recorded results in place of a model, annotations, and the figures of a tracker."""

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet.errors import BadArgument, BadImage
from camfleet.multi_stream import AppFailed, MultiStreamFramework
from camfleet.object_trackers.centroid import CentroidTracker
from camfleet.object_trackers.kalman import KalmanTracker
from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction
from camfleet.publishing.packets import load_analytics_results
from camfleet.replay.annotations import (
    parse_coco_annotations,
    parse_cvat_annotations,
    parse_mot_annotations,
    tracking_results_of,
)
from camfleet.replay.errors import BadAnnotations, NoMoreResults
from camfleet.replay.identities import TrackerPerformanceAnalyzer
from camfleet.replay.mot import MOTEvaluator
from camfleet.replay.services import ObjectDetectionAnalytics, TrackerAnalytics
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults
from moving import seen
from multi_stream_apps import Failing, Saying, Unmade, Waiting
from waiting import wait_until

IMAGE = np.zeros((8, 8, 3), np.uint8)


def results(*confidences: float) -> ObjectDetectionResults:
    found = [seen(10 * i, 10, confidence=c) for i, c in enumerate(confidences)]
    return ObjectDetectionResults(found, 0.01, "alwaysai/mobilenet_ssd")


def test_recorded_results_stand_for_a_model_until_they_are_over(tmp_path: Path) -> None:
    recorder = ObjectDetectionAnalytics([results(0.9, 0.4), results(0.8)])
    path = tmp_path / "recorded.txt"
    for one in (results(0.9, 0.4), results(0.8)):
        recorder.publish_analytics(one, file_path=path)
    detector = ObjectDetectionAnalytics(load_analytics_results(path))
    detector.load()
    assert (detector.model_id, detector.labels) == ("alwaysai/mobilenet_ssd", ["person"])
    assert len(detector.detect_objects(IMAGE, confidence_level=0.5).predictions) == 1
    assert len(detector.detect_objects(IMAGE).predictions) == 1
    with pytest.raises(NoMoreResults, match="no more results after 2"):
        detector.detect_objects(IMAGE)


def test_recorded_results_of_several_streams_are_given_side_by_side() -> None:
    detector = ObjectDetectionAnalytics([[results(0.9)] * 2, [results(0.8, 0.7)] * 2])
    first, second = detector.detect_objects_batch([IMAGE, IMAGE])
    assert detector.detect_objects_batch(None) == [first, second]
    assert (len(first.predictions), len(second.predictions)) == (1, 2)
    with pytest.raises(BadArgument, match="3 images, and results of 2 streams"):
        detector.detect_objects_batch([IMAGE] * 3)
    with pytest.raises(BadImage, match="ObjectDetectionAnalytics"):
        detector.detect_objects(IMAGE[0])


def test_recorded_results_of_several_streams_are_given_in_turn() -> None:
    detector = ObjectDetectionAnalytics([[results(0.9), results()], [results(0.8, 0.7)]])
    given = [detector.detect_objects(image) for image in (IMAGE, None, IMAGE)]
    assert [len(one.predictions) for one in given] == [1, 2, 0]
    with pytest.raises(NoMoreResults, match="no more results after 1"):
        detector.detect_objects(IMAGE)


def test_recorded_results_of_one_stream_are_given_by_its_number() -> None:
    detector = ObjectDetectionAnalytics([[results(0.9)], [results(0.8, 0.7)]])
    assert len(detector.detect_objects_for_stream(1, 0.75).predictions) == 1
    with pytest.raises(BadArgument, match="stream 2, and results of 2 streams"):
        detector.detect_objects_for_stream(2)


def test_recorded_tracking_results_stand_for_a_tracker() -> None:
    recorded = TrackingResults({3: TrackablePrediction(seen(5, 5))}, "KalmanTracker")
    tracker = TrackerAnalytics([recorded])
    assert list(tracker.update([])) == [3]
    with pytest.raises(NoMoreResults, match="TrackerAnalytics"):
        tracker.update([])


CVAT = """<annotations><track id="4" label="car">
<box frame="0" xtl="1" ytl="2" xbr="11" ybr="22" outside="0" occluded="0"/>
<box frame="1" xtl="2" ytl="2" xbr="12" ybr="22" outside="0" occluded="1"/>
<box frame="2" xtl="3.4" ytl="2" xbr="13" ybr="22" outside="0" occluded="0"/>
<box frame="3" xtl="3" ytl="2" xbr="13" ybr="22" outside="1" occluded="0"/>
</track><track id="7" label="bus">
<box frame="2" xtl="50" ytl="2" xbr="90" ybr="22" outside="0" occluded="0"/>
</track></annotations>"""


def test_tracks_of_cvat_are_read(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text(CVAT)
    by_frame, frames = parse_cvat_annotations(path)
    assert frames == {4: [0, 1, 2], 7: [2]}
    assert by_frame[2][4].box == BoundingBox(3, 2, 13, 22)
    assert by_frame[2][7].label == "bus"
    assert parse_cvat_annotations(path, 1, 2)[1] == {4: [0, 1], 7: [1]}
    assert parse_cvat_annotations(path, new_id_for_occlusion=True)[1] == {
        4: [0, 1], 8: [2], 7: [2],
    }  # fmt: skip


def test_boxes_of_coco_are_read(tmp_path: Path) -> None:
    path = tmp_path / "coco.json"
    document = {
        "images": [{"id": 2}, {"id": 1}],
        "categories": [{"id": 5, "name": "dog"}],
        "annotations": [{"image_id": 2, "category_id": 5, "bbox": [1, 2, 10, 20]}],
    }
    path.write_text(json.dumps(document))
    first, second = parse_coco_annotations(path)
    assert first.predictions == []
    assert second.predictions[0].box == BoundingBox(1, 2, 11, 22)
    assert (second.predictions[0].label, second.predictions[0].index) == ("dog", 5)


def test_tracks_of_mot_are_read(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("1,7,1,2,10,20,1,2,0.5\n3,7,5,2,10,20\n")
    first, second, third = parse_mot_annotations(path, ["person", "car"])
    assert (first[7].label, first[7].box) == ("car", BoundingBox(1, 2, 11, 22))
    assert second == {}
    assert third[7].label == "person"


@pytest.mark.parametrize(
    ("parse", "content"),
    [
        (parse_cvat_annotations, "<a"),
        (parse_coco_annotations, "{}"),
        (parse_coco_annotations, "nonsense"),
        (parse_mot_annotations, "1,2,3"),
        (parse_mot_annotations, "1,a,3,4,5,6"),
    ],
)
def test_file_of_another_kind_is_named(tmp_path: Path, parse: object, content: str) -> None:
    path = tmp_path / "annotations"
    path.write_text(content)
    assert callable(parse)
    with pytest.raises(BadAnnotations, match="annotations"):
        parse(path)
    with pytest.raises(BadAnnotations, match="nowhere"):
        parse(tmp_path / "nowhere")


def crossing(step: int) -> dict[int, ObjectDetectionPrediction]:
    return {0: seen(100 + 10 * step, 200), 1: seen(500 - 10 * step, 206)}


def test_figures_tell_a_good_tracker_from_one_that_swaps() -> None:
    truth = tracking_results_of({step: crossing(step) for step in range(40)})
    figures = {}
    trackers: list[Any] = [KalmanTracker(min_inertia=1, max_distance=60), Swapping()]
    for tracker in trackers:
        identities = TrackerPerformanceAnalyzer(truth, max_distance=20)
        evaluator = MOTEvaluator(truth)
        for frame, true in enumerate(truth):
            found = tracker.update([one.prediction for one in true.values()])
            identities.update(frame, found)
            evaluator.update(frame, found)
        figures[type(tracker).__name__] = (evaluator.generate_report(), identities)
    good, identities = figures["KalmanTracker"]
    assert (good.mota, good.misses, good.id_switches, good.motp) == (1.0, 0, 0, 1.0)
    assert identities.generate_report()[0].total_id_changes == 0
    bad, identities = figures["Swapping"]
    changes, swaps = identities.generate_report()
    assert (bad.id_switches, bad.recall, bad.mota) == (2, 1.0, 1 - 2 / 80)
    assert (changes.total_id_changes, changes.objects_with_id_changes) == (2, [0, 1])
    assert swaps.id_swaps_by_ground_truth_id == {0: [1], 1: [0]}
    assert list(changes.id_change_events_by_frame) == [20]
    image = np.zeros((200, 300, 3), np.uint8)
    assert identities.markup_image(20, image).any()
    assert not identities.markup_image(19, image).any()


class Swapping:
    """Gives both objects each other's id from frame 20 on."""

    frame = -1

    def update(
        self, predictions: Sequence[ObjectDetectionPrediction]
    ) -> TrackingResults[TrackablePrediction]:
        self.frame += 1
        ids = (0, 1) if self.frame < 20 else (1, 0)
        return TrackingResults(
            {i: TrackablePrediction(one) for i, one in zip(ids, predictions, strict=True)}
        )


def test_missing_and_invented_objects_are_counted_and_reports_written(tmp_path: Path) -> None:
    truth = tracking_results_of({0: {0: seen(50, 50), 1: seen(200, 50)}})
    evaluator = MOTEvaluator(truth)
    tracker = CentroidTracker(min_inertia=1)
    evaluator.update(0, tracker.update([seen(51, 50), seen(400, 50), seen(600, 50)]))
    report = evaluator.generate_report()
    assert (report.matches, report.misses, report.false_positives) == (1, 1, 2)
    assert report.precision == pytest.approx(1 / 3)
    assert 0.9 < report.motp < 1
    with pytest.raises(IndexError, match="frame 1: the truth has frames 0 to 0"):
        evaluator.update(1, TrackingResults())
    for one in TrackerPerformanceAnalyzer(truth, 10).generate_report():
        one.write_to_file(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"id_changes.json", "id_swaps.json"}


def test_applications_are_started_and_stopped_together(tmp_path: Path) -> None:
    paths = [tmp_path / "one", tmp_path / "two"]
    framework = MultiStreamFramework([Waiting, Waiting], [(str(path),) for path in paths])
    with ThreadPoolExecutor(1) as threads:
        started = threads.submit(framework.start)
        wait_until(lambda: all(one.is_file() and one.read_text() for one in paths), 60, "both run")
        assert not started.done()
        framework.stop()
        assert started.result(60) is None
    assert [path.read_text() for path in paths] == ["stopped", "stopped"]


def test_applications_share_queues_and_events_as_multiprocessing_makes_them() -> None:
    said: Any = multiprocessing.Queue()
    MultiStreamFramework([Saying, Saying], [("one", said), ("two", said)]).start()
    assert {said.get(timeout=60), said.get(timeout=60)} == {"one", "two"}


def test_application_that_fails_is_named_with_its_traceback() -> None:
    with pytest.raises(AppFailed, match=r"Failing\(\): (.|\n)*RuntimeError: no camera"):
        MultiStreamFramework([Failing], [()]).start()
    with pytest.raises(AppFailed, match=r"Unmade\(\): (.|\n)*RuntimeError: no model"):
        MultiStreamFramework([Unmade, Waiting], [(), ("unused",)]).start()
    with pytest.raises(BadArgument, match="1 apps and 2 args"):
        MultiStreamFramework([Failing], [(), ()])
