"""A pipeline while its model comes, goes, changes and fails."""

import logging

import pytest

from camfleet.inference.errors import (
    InferenceError,
    ModelMissing,
    ModelNotReady,
    NoDecoder,
    ServerAbsent,
    ServerBusy,
)
from camfleet.service.pipeline import asking
from fakes_analytics import (
    boxes,
    frame,
    served,
)
from pipeline_rig import Rig, running
from waiting import wait_until


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
