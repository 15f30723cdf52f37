"""Counts by interval and heat maps, as classes and over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import cv2
import httpx
import numpy as np
import pytest

from camfleet.heat import HeatMap
from camfleet.lines import Crossing, Direction
from camfleet.service.interval_counts import KEPT_MINUTES, IntervalCounts
from camfleet.zones import Happening, ZoneEvent
from fakes_analytics import boxes, falling
from running_app import RunningApp, running_app
from waiting import wait_until

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def crossed(direction: Direction) -> Crossing:
    return Crossing("gate", direction, 1, "car", 0.9)


def zone(happening: Happening, occupancy: int) -> ZoneEvent:
    return ZoneEvent(happening, "yard", 1, "car", 0.0, occupancy)


def test_crossings_are_summed_up_by_interval() -> None:
    counts = IntervalCounts()
    for minutes in (0, 0.5, 3, 61):
        counts.add_crossing(NOON + timedelta(minutes=minutes), crossed("in"))
    hours = [(one["from"], one["lines"]["gate"]["in"]) for one in counts.read(3600)]
    assert hours == [("2026-05-01T12:00:00.000Z", 3), ("2026-05-01T13:00:00.000Z", 1)]
    assert [one["lines"]["gate"]["in"] for one in counts.read(60)] == [2, 1, 1]


def test_the_peak_of_a_zone_is_the_highest_and_not_a_sum() -> None:
    counts = IntervalCounts()
    counts.add_zone_event(NOON, zone("entered", 1))
    counts.add_zone_event(NOON + timedelta(minutes=1), zone("entered", 2))
    counts.add_zone_event(NOON + timedelta(minutes=2), zone("left", 1))
    [hour] = counts.read(3600)
    assert hour["zones"] == {"yard": {"entered": 2, "left": 1, "dwelt": 0, "peak": 2}}


def test_a_day_is_kept_and_no_more() -> None:
    counts = IntervalCounts()
    for minute in range(KEPT_MINUTES + 10):
        counts.add_crossing(NOON + timedelta(minutes=minute), crossed("out"))
    assert len(counts.read(60)) == KEPT_MINUTES


def test_heat_is_where_the_objects_stood() -> None:
    heat = HeatMap()
    heat.add(boxes((300, 100, 340, 240)), (640, 480), 0.5)
    assert np.argwhere(heat.seconds).tolist() == [[18, 32]]
    assert heat.seconds.max() == 0.5


def test_the_picture_of_heat_has_the_shape_of_the_frames_and_is_clear_where_nobody_was() -> None:
    heat = HeatMap()
    heat.add(boxes((300, 100, 340, 240)), (640, 480), 0.5)
    picture = cv2.imdecode(np.frombuffer(heat.to_png(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (480, 640, 4)
    assert (picture[0, 0, 3], picture[245, 325, 3] > 100) == (0, True)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("insights")) as app:
        yield app


@pytest.fixture
def client(app: RunningApp) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {app.key}"}
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False) as client:
        yield client


def test_what_a_camera_counted_is_read_by_interval(app: RunningApp, client: httpx.Client) -> None:
    steps = falling([150, 180, 210, 240, 270, 300])
    app.detector.answer = lambda asked: steps[asked - 1]
    app.show()
    read = partial(client.get, "/v1/cameras/door/counts?interval=3600")
    wait_until(lambda: read().json()["intervals"], 5, "the crossing")
    [hour] = read().json()["intervals"]
    assert hour["lines"]["gate"] == {"in": 1, "out": 0}


def test_the_heat_map_is_a_picture(client: httpx.Client) -> None:
    answer = client.get("/v1/cameras/door/heatmap.png")
    assert (answer.headers["content-type"], answer.content[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize("interval", ["0", "90", "x", "-60", "100000020"])
def test_an_interval_that_cannot_be_is_refused(client: httpx.Client, interval: str) -> None:
    answer = client.get("/v1/cameras/door/counts", params={"interval": interval})
    assert (answer.status_code, "multiple of 60" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("path", ["counts", "heatmap.png"])
def test_an_unknown_camera_is_named(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/v1/cameras/attic/{path}")
    assert (answer.status_code, "attic" in answer.json()["error"]) == (404, True)
