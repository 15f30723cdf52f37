"""One camera's pipeline with a scripted camera and a scripted model server."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.inference.errors import (
    InferenceError,
    ServerAbsent,
    ServerBusy,
)
from camfleet.lines import LineCount
from camfleet.service.statistics import Statistics
from camfleet.video.connection import ReaderState
from camfleet.video.frames import FrameSlot
from fakes_analytics import (
    boxes,
    camera,
    falling,
    frame,
)
from pipeline_rig import GATE, Rig, running
from waiting import wait_until

CORNERS = "[[0, 0.4], [1, 0.4], [1, 0.6], [0, 0.6]]"
YARD = f"{{fps: 10, model: cars, zones: [{{name: yard, polygon: {CORNERS}}}]}}"
IN_THE_YARD = boxes((300, 180, 360, 240))


def test_car_driving_over_the_line_is_an_event_with_its_count() -> None:
    steps = falling([150, 180, 210, 240, 270, 300])
    with running() as rig:
        rig.detector.answer = lambda asked: steps[asked - 1]
        rig.show(*(frame(number) for number in range(6)))
    [event] = rig.publisher.labelled("line_crossed")
    assert event.camera == "door"
    assert event.results["zone_label"] == "gate"
    assert event.results["object_label"] == "car"
    assert event.results["data"] == {
        "line": "gate",
        "direction": "in",
        "track_id": 1,
        "count_in": 1,
        "count_out": 0,
        "count_error": 0.4,
    }


def test_film_waits_for_its_model_and_no_frame_goes_without_an_answer() -> None:
    faults: list[InferenceError] = [ServerBusy("a", "full"), ServerAbsent("127.0.0.1:1")]
    steps = falling([150, 180, 210, 240])
    with running(slot=FrameSlot(keeps_all=True)) as rig:
        rig.detector.answer = lambda _: faults.pop() if faults else steps.pop(0)
        rig.show(*(frame(number) for number in range(4)))
    assert (rig.pipeline.statistics.analysed, rig.pipeline.statistics.failed) == (4, 0)
    assert steps == []


def test_results_carry_the_frame_and_the_version_that_answered() -> None:
    with running() as rig:
        rig.detector.answer = lambda _: boxes((1, 2, 30, 40))
        rig.show(frame(0, 7.0), frame(1, 7.1), frame(2, 7.2))
    message = rig.publisher.results[-1]
    document = message.model_dump(by_alias=True)
    assert (message.type, message.base_service) == ("TrackingResults", "ObjectDetection")
    assert (document["pts_s"], document["width"], document["height"]) == (7.2, 640, 480)
    assert (message.results["model_id"], message.results["model_version"]) == ("cars", 1)
    prediction = message.results["objects"][0]["ObjectDetectionPrediction"]
    assert prediction["box"]["start_x"] == 1
    assert prediction["label"] == "car"


def test_results_carry_masks_and_points_of_bodies() -> None:
    cells = np.zeros((1, 24, 32), np.bool_)
    cells[0, 6:19, 8:25] = True
    points = np.array([[[320, 240, 0.9]]], np.float32)
    found = replace(boxes((150, 110, 500, 380)), masks=cells, key_points=points)
    with running() as rig:
        rig.detector.answer = lambda _: found
        rig.show(frame(0), frame(1), frame(2))
    [one] = rig.publisher.results[-1].results["objects"]
    told = one["ObjectDetectionPrediction"]
    assert told["outlines"] == [[170, 130, 170, 370, 490, 370, 490, 130]]
    assert told["area"] == pytest.approx(13 * 17 / (24 * 32), abs=1e-4)
    assert told["key_points"] == [[320, 240, pytest.approx(0.9)]]


def test_results_are_put_together_only_for_who_listens() -> None:
    with running() as rig:
        rig.publisher.is_listened_to = False
        rig.detector.answer = lambda _: boxes((1, 2, 30, 40))
        rig.show(frame(0), frame(1))
        assert rig.publisher.results == []
        assert rig.pipeline.statistics.published == 0
        rig.publisher.is_listened_to = True
        rig.show(frame(2))
    assert len(rig.publisher.results) == 1


def test_car_driving_through_a_zone_comes_stays_and_goes() -> None:
    yard = "{name: yard, polygon: [[0, 0.4], [1, 0.4], [1, 0.6], [0, 0.6]], loiter_after_s: 0.1}"
    steps = falling([150, 180, 210, 240, 270, 300, 330])
    with running(f"{{fps: 10, model: cars, zones: [{yard}]}}") as rig:
        rig.detector.answer = lambda asked: steps[asked - 1]
        rig.show(*(frame(number) for number in range(7)))
    events = [e for e in rig.publisher.events if e.results.get("zone_label") == "yard"]
    labels = [event.results["event_label"] for event in events]
    assert labels == ["zone_entered", "zone_dwelt", "zone_left"]
    assert [event.results["data"]["occupancy"] for event in events] == [1, 1, 0]


def broken_answer(asked: int) -> Detections:
    raise ZeroDivisionError


def zone_events(rig: Rig) -> list[tuple[str, int, int]]:
    told = [event.results for event in rig.publisher.events if "zone_label" in event.results]
    return [
        (one["event_label"], one["object_id"], one["data"]["occupancy"])
        for one in told
        if one["zone_label"] == "yard"
    ]


def test_who_is_in_a_zone_leaves_when_the_settings_change_and_ids_go_on() -> None:
    with running(YARD) as rig:
        rig.detector.answer = lambda _: IN_THE_YARD
        rig.show(frame(0), frame(1), frame(2))
        rig.pipeline.reconfigure(camera(YARD.replace("cars", "trucks")))
        rig.show(frame(3), frame(4), frame(5))
        told = zone_events(rig)
    assert told == [("zone_entered", 1, 1), ("zone_left", 1, 0), ("zone_entered", 2, 1)]


def test_who_is_in_a_zone_leaves_when_the_camera_ends() -> None:
    with running(YARD) as rig:
        rig.detector.answer = lambda _: IN_THE_YARD
        rig.show(frame(0), frame(1), frame(2))
    assert zone_events(rig) == [("zone_entered", 1, 1), ("zone_left", 1, 0)]


def test_who_is_in_a_zone_leaves_when_nothing_was_analysed_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(YARD) as rig:
        rig.detector.answer = lambda _: IN_THE_YARD
        rig.show(frame(0), frame(1), frame(2))
        monkeypatch.setattr("camfleet.service.pipeline.pipeline.UNSEEN_S", 0.0)
        wait_until(lambda: len(zone_events(rig)) == 2, 60, "it has left")
        told = zone_events(rig)
    assert told == [("zone_entered", 1, 1), ("zone_left", 1, 0)]


def test_who_is_in_a_zone_leaves_when_the_streams_clock_goes_back() -> None:
    with running(YARD) as rig:
        rig.detector.answer = lambda _: IN_THE_YARD
        rig.show(frame(0, 50.0), frame(1, 50.1), frame(2, 50.2))
        rig.show(frame(3, 0.1), frame(4, 0.2), frame(5, 0.3))
        told = zone_events(rig)
    assert told == [("zone_entered", 1, 1), ("zone_left", 1, 0), ("zone_entered", 2, 1)]


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0], ids=["forward", "back"])
def test_a_clock_that_jumps_an_hour_counts_nothing_twice(jump_s: float) -> None:
    steps = falling([150, 180, 210, 240, 270, 300, 300, 300, 300])
    steps += falling([150, 180, 210, 240, 270, 300])
    with running() as rig:
        rig.detector.answer = lambda asked: steps[asked - 1]
        rig.show(*(frame(number, 5000 + number / 10) for number in range(7)))
        after = (frame(number, 5000 + jump_s + number / 10) for number in range(7, 15))
        rig.show(*after)
    crossings = [event.results["data"] for event in rig.publisher.labelled("line_crossed")]
    assert [one["count_in"] for one in crossings] == [1, 2]
    assert crossings[0]["track_id"] != crossings[1]["track_id"]


def test_a_label_that_the_model_does_not_have_is_said_with_those_it_has() -> None:
    with running(GATE.replace("name: gate", "name: gate, labels: [lorry]")) as rig:
        rig.show(frame(0))
        assert rig.pipeline.fault == "labels: cars has no 'lorry' (line 'gate'); it has car"
        rig.pipeline.reconfigure(camera(GATE))
        rig.show(frame(1))
        wait_until(lambda: rig.pipeline.fault is None, 60, "the label is right")


def test_frames_that_fail_alike_are_logged_once_and_are_the_cameras_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running() as rig:
        rig.detector.answer = broken_answer
        rig.show(frame(0), frame(1), frame(2))
        assert "frames cannot be analysed: ZeroDivisionError" in str(rig.pipeline.fault)
        rig.detector.answer = lambda _: boxes()
        rig.show(frame(3))
        assert rig.pipeline.fault is None
    assert caplog.text.count("frame failed camera=door") == 1


def test_where_nothing_moves_the_last_answer_is_repeated() -> None:
    with running("{fps: 10, model: cars, motion: true}") as rig:
        rig.detector.answer = lambda _: boxes((1, 2, 30, 40))
        rig.show(*(frame(number) for number in range(6)))
        assert len(rig.detector.asked) == 1
        assert (rig.pipeline.statistics.still, rig.pipeline.statistics.analysed) == (5, 6)
    assert len(rig.publisher.results[-1].results["objects"]) == 1


def test_after_a_failure_the_model_is_asked_again_though_nothing_moves() -> None:
    busy = ServerBusy("h:9000", "queue full")
    with running("{fps: 10, model: cars, motion: true}") as rig:
        rig.detector.answer = lambda asked: busy if asked == 1 else boxes()
        rig.show(*(frame(number) for number in range(4)))
        assert len(rig.detector.asked) == 2


def test_two_cars_in_one_frame_have_a_count_each() -> None:
    heights = [150, 180, 210, 240, 270, 300]
    steps = [boxes((100, y - 60, 160, y), (400, y - 60, 460, y)) for y in heights]
    with running() as rig:
        rig.detector.answer = lambda asked: steps[asked - 1]
        rig.show(*(frame(number) for number in range(6)))
    events = rig.publisher.labelled("line_crossed")
    assert [event.results["data"]["count_in"] for event in events] == [1, 2]


def test_totals_go_on_from_where_they_were() -> None:
    steps = falling([150, 180, 210, 240, 270, 300])
    with running(counts={"gate": LineCount(entered=41, left=3)}) as rig:
        rig.detector.answer = lambda asked: steps[asked - 1]
        rig.show(*(frame(number) for number in range(6)))
    [event] = rig.publisher.labelled("line_crossed")
    assert (event.results["data"]["count_in"], event.results["data"]["count_out"]) == (42, 3)


def test_lost_camera_is_an_event_and_so_is_its_return() -> None:
    with running() as rig:
        rig.show(frame(0))
        rig.source.lose(ReaderState.STALLED, "gone")
        wait_until(lambda: len(rig.publisher.labelled("camera_state")) == 2, 60, "the loss")
        rig.source.lose(ReaderState.LIVE, "")
        wait_until(lambda: len(rig.publisher.labelled("camera_state")) == 3, 60, "the return")
    states = [event.results["data"]["state"] for event in rig.publisher.labelled("camera_state")]
    assert states == ["LIVE", "STALLED", "LIVE"]


def test_rate_is_that_of_the_last_seconds_and_falls_while_nothing_is_analysed() -> None:
    statistics = Statistics()
    for number in range(21):
        statistics.note_frame(number / 10, 0.1, 0.1, 0.1)
    rates = [statistics.fps(now_s) for now_s in (2.0, 2.09, 4.1, 6.85, 7.1)]
    assert rates == pytest.approx([10, 10, 5, 0.2, 0], abs=0.05)


def test_only_frames_that_are_due_are_analysed() -> None:
    with running("{fps: 5, model: cars}") as rig:
        rig.show(*(frame(number) for number in range(20)))
        assert rig.pipeline.statistics.analysed == 10


def test_new_connection_counts_nobody_twice() -> None:
    steps = falling([180, 200, 220, 300, 300, 300])
    with running() as rig:
        rig.detector.answer = lambda asked: steps[asked - 1]
        rig.show(*(frame(number) for number in range(3)))
        rig.show(*(frame(number, number / 10, connection=2) for number in range(3, 6)))
    assert rig.publisher.labelled("line_crossed") == []


def test_new_settings_are_taken_over_and_the_camera_stays_connected() -> None:
    with running() as rig:
        rig.show(frame(0))
        rig.pipeline.reconfigure(camera("{fps: 10, model: trucks}"))
        rig.show(frame(1))
        assert rig.detector.asked == ["cars", "trucks"]
        assert rig.source.is_running


def test_tracker_parameter_that_does_not_exist_is_said() -> None:
    with running("{fps: 10, model: cars, tracker: {kind: sort, colour: red}}") as rig:
        wait_until(lambda: rig.pipeline.fault, 60, "the fault")
        assert "tracker sort:" in str(rig.pipeline.fault)


def test_answer_that_comes_after_the_end_counts_nothing() -> None:
    steps = falling([150, 180, 210, 240, 270, 300])
    asked, may_answer = threading.Event(), threading.Event()

    def answer(number: int) -> Detections:
        if number > 3:
            asked.set()
            may_answer.wait(60)
        return steps[number - 1]

    with running() as rig:
        rig.detector.answer = answer
        rig.show(*(frame(number) for number in range(3)))
        rig.source.slot.put(frame(3))
        asked.wait(60)
        rig.pipeline.stop(timeout_s=0)  # as of a camera whose source is another one now
        may_answer.set()
    assert rig.pipeline.statistics.analysed == 3
    assert rig.publisher.labelled("line_crossed") == []
