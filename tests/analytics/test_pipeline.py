"""One camera's pipeline with a scripted camera and a scripted model server."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.inference.errors import (
    InferenceError,
    ModelMissing,
    ModelNotReady,
    NoDecoder,
    ServerAbsent,
    ServerBusy,
)
from camfleet.lines import LineCount
from camfleet.service.pipeline import Pipeline, Surroundings, asking
from camfleet.service.statistics import Statistics
from camfleet.video.connection import ReaderState
from camfleet.video.frames import Frame, FrameSlot
from camfleet_contracts.cameras import Camera
from fakes_analytics import (
    CollectingPublisher,
    NoLiveCamera,
    ScriptedDetector,
    ScriptedSource,
    boxes,
    camera,
    falling,
    frame,
    served,
)
from waiting import wait_until

GATE = "{fps: 10, model: cars, lines: [{name: gate, from: [0, 0.5], to: [1, 0.5]}]}"

CORNERS = "[[0, 0.4], [1, 0.4], [1, 0.6], [0, 0.6]]"
YARD = f"{{fps: 10, model: cars, zones: [{{name: yard, polygon: {CORNERS}}}]}}"
IN_THE_YARD = boxes((300, 180, 360, 240))


class WatchedLive(NoLiveCamera):
    """Somebody looks at the pictures with burnt-in boxes."""

    def __init__(self) -> None:
        self.pictures: list[dict[str, object] | None] = []

    @property
    def wants_pictures(self) -> bool:  # type: ignore[override] # a constant in the base
        return True

    def push_picture(self, frame: Frame, result: dict[str, object] | None) -> None:
        self.pictures.append(result)


class Rig:
    """A running pipeline and everything around it."""

    def __init__(
        self, wanted: Camera, counts: dict[str, LineCount], slot: FrameSlot | None = None
    ) -> None:
        self.source, self.detector = ScriptedSource(), ScriptedDetector()
        self.source.slot = slot or self.source.slot
        self.publisher, self.live = CollectingPublisher(), WatchedLive()
        around = Surroundings(self.detector, self.publisher, "box")
        self.pipeline = Pipeline(wanted, self.source, self.live, around, counts)

    def show(self, *frames: Frame) -> None:
        """Each frame is taken before the next one comes."""
        for one in frames:
            self.source.slot.put(one)
            wait_until(self.source.has_nothing_to_take, 60, "the frame is taken")
        wait_until(lambda: self.seen >= frames[-1].number + 1, 60, "all frames are dealt with")

    @property
    def seen(self) -> int:
        statistics = self.pipeline.statistics
        return statistics.analysed + self.source.slot.skipped + statistics.failed


@contextmanager
def running(
    pipeline: str = GATE,
    counts: dict[str, LineCount] | None = None,
    slot: FrameSlot | None = None,
) -> Iterator[Rig]:
    rig = Rig(camera(pipeline), counts or {}, slot)
    rig.pipeline.start()
    try:
        yield rig
    finally:
        rig.pipeline.stop()


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


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (ServerAbsent("h:9000"), "warning", "waiting for model server h:9000"),
        (ModelMissing("cars", "h:9000"), "failed", "camfleet model pull cars"),
        (NoDecoder("cars"), "failed", "no decoder known for cars; add model.json"),
    ],
    ids=["server absent", "model missing", "no decoder"],
)
def test_failing_model_is_said_and_heals(
    error: InferenceError, state: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "START_S", 0)
    with running() as rig:
        rig.detector.answer = lambda _: error
        rig.show(frame(0))
        assert rig.pipeline.model.state == state
        assert reason in str(rig.pipeline.model.reason)
        rig.detector.answer = lambda _: boxes()
        number = iter(range(1, 200))
        wait_until(lambda: shown_until_ok(rig, next(number)), 60, "the model heals")
    states = [event.results["data"]["state"] for event in rig.publisher.labelled("model_state")]
    assert states == [state, "ok"]


def test_model_that_loads_while_the_fleet_starts_is_no_event_and_one_that_goes_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    with running() as rig:
        rig.detector.answer = lambda _: ModelNotReady("cars", "loading")
        rig.show(frame(0))
        assert rig.pipeline.model.state == "warning"
        rig.detector.answer = lambda _: boxes()
        number = iter(range(1, 200))
        wait_until(lambda: shown_until_ok(rig, next(number)), 60, "the model answers")
        assert (rig.publisher.labelled("model_state"), caplog.messages) == ([], [])
        rig.detector.answer = lambda _: ModelNotReady("cars", "unloaded")
        rig.show(frame(next(number)))
    [event] = rig.publisher.labelled("model_state")
    assert event.results["data"]["state"] == "warning"
    assert "state=warning reason=model 'cars' is not loaded: unloaded" in caplog.text


def test_model_that_does_not_come_is_an_event_and_a_warning_once_the_start_is_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    with running() as rig:
        rig.detector.answer = lambda _: ModelNotReady("cars", "loading")
        rig.show(frame(0))
        assert caplog.messages == []
        monkeypatch.setattr(asking, "START_S", 0)
        number = iter(range(1, 200))
        wait_until(lambda: shown_until_told(rig, next(number)), 60, "it is an event")
    assert len(caplog.messages) == 1


def shown_until_told(rig: Rig, number: int) -> bool:
    rig.show(frame(number))
    return bool(rig.publisher.labelled("model_state"))


def shown_until_ok(rig: Rig, number: int) -> bool:
    rig.show(frame(number))
    return rig.pipeline.model.state == "ok"


def test_busy_server_costs_the_frame_and_nothing_else() -> None:
    with running() as rig:
        rig.detector.answer = lambda _: ServerBusy("h:9000", "queue full")
        rig.show(frame(0), frame(1))
        assert rig.pipeline.statistics.failed == 2
        assert rig.pipeline.model.state == "ok"
    assert rig.publisher.labelled("model_state") == []


def test_pictures_are_shown_without_boxes_while_the_model_is_away() -> None:
    with running() as rig:
        rig.detector.answer = lambda _: ServerAbsent("h:9000")
        rig.show(frame(0))
    assert rig.live.pictures == [None]


def test_new_version_of_the_model_is_an_event() -> None:
    with running() as rig:
        rig.show(frame(0))
        rig.detector.model = served(version=2)
        rig.show(frame(1))
    [event] = rig.publisher.labelled("model_changed")
    assert event.results["data"] == {"model": "cars", "version": 2, "before": 1}


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
