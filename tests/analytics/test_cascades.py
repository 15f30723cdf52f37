"""Second models: whom they are asked about, what is made of their answers, and what they cost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.inference.crops import crop, rectangle_of
from camfleet.inference.detector import Detected
from camfleet.inference.errors import InferenceError, ModelMissing
from camfleet.service.pipeline import Pipeline, Surroundings
from camfleet.service.pipeline.cascades.views import Views
from camfleet.service.pipeline.cascades.votes import Votes
from camfleet.video.once import Once
from camfleet_contracts.cameras_file import BadCameras, parse_cameras
from camfleet_contracts.stages import Cascade
from fakes_analytics import (
    CollectingPublisher,
    NoLiveCamera,
    ScriptedSource,
    boxes,
    camera,
    frame,
    served,
    standing_at,
)
from waiting import wait_until

KIND = Cascade(name="kind", model="kinds", labels=("car",), min_size=10)
BOX = np.array([100, 100, 200, 200], np.float32)


def said(label: str, confidence: float, decoder: str = "classification") -> Detected:
    return Detected(
        boxes(tuple(BOX), label=label, confidence=confidence), served(decoder=decoder), 0
    )


def asked_about(views: Views, objects: Detections, time_s: float) -> list[int]:
    """The tracks that are chosen, each noted as asked about."""
    assert objects.tracker_id is not None
    chosen = [int(objects.tracker_id[index]) for index in views.choose(objects, time_s)]
    for track in chosen:
        views.note(track, 200.0, time_s)
    return chosen


def test_a_new_track_is_asked_about_three_times_and_then_rarely() -> None:
    views = Views(KIND)
    moments = [t / 10 for t in range(200)]
    asked = [t for t in moments if asked_about(views, standing_at((50, 50)), t)]
    assert asked == [0, 0.5, 1.0, 11.0]


def test_a_better_view_is_asked_about_before_it_is_time() -> None:
    views = Views(KIND)
    for time_s in (0, 1, 2):
        asked_about(views, standing_at((50, 50)), time_s)
    near = Detections(
        BOX[None], np.ones(1, np.float32), np.zeros(1, np.int64), ("car",), np.ones(1, np.int64)
    )
    assert asked_about(views, near, 3) == [1]


def test_few_objects_of_a_frame_are_asked_about_and_the_new_ones_first() -> None:
    views = Views(KIND.model_copy(update={"per_frame": 2}))
    crowd = standing_at((50, 50), (90, 50), (130, 50))
    assert asked_about(views, crowd, 0) == [1, 2]
    assert asked_about(views, crowd, 0.5) == [3, 1]


@pytest.mark.parametrize(
    "changed", [{"min_size": 11}, {"labels": ("bus",)}], ids=["too small", "other label"]
)
def test_who_does_not_fit_is_never_asked_about(changed: dict[str, Any]) -> None:
    assert Views(KIND.model_copy(update=changed)).choose(standing_at((50, 50)), 0) == []


def test_the_class_is_a_vote_over_the_views_of_a_track() -> None:
    votes = Votes()
    for label, confidence in (("taxi", 0.9), ("bus", 0.6), ("bus", 0.6), ("bus", 0.7)):
        votes.add(1, BOX, said(label, confidence))
    attribute = votes.read(1, BOX)
    assert attribute is not None
    assert (attribute.label, attribute.views) == ("bus", 4)
    assert 0.4 < (attribute.confidence or 0) < 0.7
    assert votes.read(2, BOX) is None


def test_what_a_detector_found_in_an_object_moves_with_it() -> None:
    votes = Votes()
    found = Detected(boxes((110, 110, 130, 130), label="face"), served(decoder="ultraface"), 0)
    votes.add(1, BOX, found)
    attribute = votes.read(1, np.array([200, 100, 400, 300], np.float32))
    assert attribute is not None
    assert attribute.predictions is not None
    box = attribute.predictions[0].box
    assert (box.start_x, box.start_y, box.end_x, box.end_y) == (220, 120, 260, 160)


def test_votes_do_not_grow_without_bound() -> None:
    votes = Votes()
    for track in range(1500):
        votes.add(track, BOX, said("taxi", 0.9))
    assert len(votes._tracks) == 1000


@pytest.mark.parametrize("layout", ["yuv420p", "nv12", "rgb24", "gray"])
def test_a_crop_shows_what_is_there(layout: str) -> None:
    pixels = np.zeros((100, 160, 3), np.uint8)
    pixels[40:60, 80:120] = 255
    whole = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=layout)
    part = crop(whole, rectangle_of((80, 40, 120, 60), (160, 100)))
    assert (part.width, part.height) == (40, 20)
    assert part.reformat(format="gray").to_ndarray().min() > 230


def test_crops_stay_inside_the_picture_and_have_a_size() -> None:
    assert rectangle_of((150, 90, 300, 300), (161, 101), 0.5) == (74, 0, 160, 100)
    assert rectangle_of((0, 0, 1, 1), (160, 100)) == (0, 0, 16, 16)
    assert rectangle_of((159, 99, 160, 100), (160, 100)) == (144, 84, 160, 100)


class TwoModels:
    """A detector whose second model may be slow or broken."""

    def __init__(self) -> None:
        self.second: Callable[[], Detected | InferenceError] = lambda: said("taxi", 0.8)
        self.go = threading.Event()
        self.go.set()
        self.sizes: list[tuple[int, int]] = []

    def detect(
        self, picture: av.VideoFrame, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        if reference == "cars":
            return Detected(boxes((300, 180, 360, 240)), served(), 0.01)
        self.sizes.append((picture.width, picture.height))
        self.go.wait(60)
        answer = self.second()
        if isinstance(answer, InferenceError):
            raise answer
        return answer

    def detect_all(
        self, pictures: Sequence[av.VideoFrame], reference: str, confidence: float
    ) -> list[Detected]:
        return [self.detect(one, reference, confidence) for one in pictures]


class Rig:
    def __init__(self, settings: str) -> None:
        self.source, self.detector = ScriptedSource(), TwoModels()
        self.publisher = CollectingPublisher()
        around = Surroundings(self.detector, self.publisher, "box")
        self.pipeline = Pipeline(camera(settings), self.source, NoLiveCamera(), around, {})
        self._numbers = iter(range(10_000))

    def show(self, count: int) -> None:
        for _ in range(count):
            number = next(self._numbers)
            self.source.slot.put(frame(number))
            wait_until(partial(self._has_seen, number), 60, "the frame")

    def _has_seen(self, number: int) -> bool:
        return self.pipeline.statistics.analysed > number

    def attributes(self) -> dict[str, Any]:
        objects = self.publisher.results[-1].results["objects"]
        found: dict[str, Any] = objects[0].get("attributes", {}) if objects else {}
        return found

    def show_until_known(self) -> dict[str, Any]:
        def known() -> dict[str, Any]:
            self.show(1)
            return self.attributes()

        return wait_until(known, 60, "an attribute")


SETTINGS = "{fps: 10, results_rate: 10, model: cars, cascade: [{name: kind, model: kinds}]"


@contextmanager
def running(more: str = "") -> Iterator[Rig]:
    rig = Rig(f"{SETTINGS}{more}}}")
    rig.pipeline.start()
    try:
        yield rig
    finally:
        rig.detector.go.set()
        rig.pipeline.stop(10)


def test_what_the_second_model_says_is_in_the_results_of_the_object() -> None:
    with running() as rig:
        kind = rig.show_until_known()["kind"]
    assert (kind["label"], kind["model_id"], kind["model_version"]) == ("taxi", "cars", 1)
    assert rig.detector.sizes[0] == (72, 72)


def test_a_slow_second_model_holds_up_no_frame_and_nothing_piles_up() -> None:
    with running() as rig:
        rig.detector.go.clear()
        rig.show(30)
        assert rig.pipeline.statistics.analysed == 30
        wait_until(lambda: rig.detector.sizes, 60, "the second model is asked")
        assert len(rig.detector.sizes) == 1
        rig.detector.go.set()
        assert rig.show_until_known()["kind"]["label"] == "taxi"


def test_a_missing_second_model_costs_the_attribute_and_heals() -> None:
    with running() as rig:
        rig.detector.second = lambda: ModelMissing("kinds", "h:9000")
        rig.show(10)
        [cascade] = rig.pipeline.cascades
        wait_until(lambda: cascade.asker.state.state == "failed", 60, "the state")
        assert rig.attributes() == {}
        assert len(rig.publisher.results[-1].results["objects"]) == 1
        assert rig.pipeline.model.state == "ok"
        rig.detector.second = lambda: said("taxi", 0.8)
        assert rig.show_until_known()["kind"]["label"] == "taxi"
    states = [e.results["data"]["state"] for e in rig.publisher.labelled("model_state")]
    assert states == ["failed", "ok"]


def raising() -> Detected:
    raise ZeroDivisionError


def test_a_crash_in_a_second_model_ends_neither_it_nor_the_camera() -> None:
    with running() as rig:
        rig.detector.second = raising
        rig.show(10)
        [cascade] = rig.pipeline.cascades
        wait_until(lambda: cascade.worker.failed, 60, "the failure")
        rig.detector.second = lambda: said("taxi", 0.8)
        assert rig.show_until_known()["kind"]["label"] == "taxi"


def test_events_of_an_object_carry_what_is_known_of_it() -> None:
    yard = ", zones: [{name: yard, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]], loiter_after_s: 2}]"
    with running(yard) as rig:
        rig.show_until_known()
        rig.show(25)
        [dwelt] = rig.publisher.labelled("zone_dwelt")
    assert dwelt.results["data"]["attributes"]["kind"]["label"] == "taxi"
    assert dwelt.results["data"]["occupancy"] == 1


def test_a_cascade_that_is_taken_out_ends_and_the_others_go_on() -> None:
    with running() as rig:
        rig.show_until_known()
        rig.pipeline.reconfigure(camera("{fps: 10, model: cars}"))
        rig.show(2)
        assert rig.pipeline.cascades == ()
        names = {thread.name for thread in threading.enumerate()}
        assert "cascade-door-kind" not in names


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("cascade: [{name: a, model: m}, {name: a, model: n}]", "the name 'a' is there twice"),
        ("labels: [person], cascade: [{name: a, model: m, labels: [car]}]", "label 'car'"),
        ("cascade: [{name: A b, model: m}]", "name"),
        ("cascade: [{name: a, model: m, colour: red}]", "colour"),
    ],
    ids=["twice", "never detected", "bad name", "unknown key"],
)
def test_cascades_that_cannot_work_are_refused(settings: str, reason: str) -> None:
    text = f"cameras:\n  - {{name: door, source: x.mp4, pipeline: {{{settings}}}}}\n"
    with pytest.raises(BadCameras, match=reason):
        parse_cameras(text, path=Path("cameras.yaml"))
