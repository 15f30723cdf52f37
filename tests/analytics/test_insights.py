"""Counts by interval and heat maps, as classes and over HTTP."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from camfleet.heat import HeatMap
from camfleet.service import messages
from camfleet.service.events.outbox import Outbox
from camfleet.service.events.outbox_database import Group, OutboxDatabase
from camfleet.service.events.sums import Sums
from camfleet.service.events.tallies import Tallies, ZoneTotals, tallies_of
from camfleet.service.interval_counts import KEPT_MINUTES, IntervalCounts
from camfleet.zones import Happening, ZoneEvent
from camfleet_contracts.events import Envelope, OccurrenceEvent, Origin, Times, envelope
from fakes_analytics import boxes, falling
from running_app import RunningApp, running_app
from waiting import wait_until

DOOR = Origin("box", "door")
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def crossed(direction: str, at: datetime = NOON) -> Envelope:
    totals = {"count_in": 1, "count_out": 0, "count_error": 0.4}
    facts = {"line": "gate", "direction": direction, **totals}
    happened = OccurrenceEvent(event_label="line_crossed", data=facts)
    return envelope(happened, DOOR, Times(at, at))


def zone(happening: Happening, occupancy: int, at: datetime = NOON, dwell_s: float = 0) -> Envelope:
    event = ZoneEvent(happening, "yard", 1, "stay", "car", dwell_s, occupancy)
    return messages.zone_event(DOOR, Times(at, at), event)


def added_up(*events: Envelope) -> Tallies:
    tallies = Tallies()
    for event in events:
        tallies.note(event)
    return tallies


def test_crossings_are_summed_up_by_interval() -> None:
    moments = [NOON + timedelta(minutes=minutes) for minutes in (0, 0.5, 3, 61)]
    tallies = added_up(*(crossed("in", moment) for moment in moments))
    hours = [(one["from"], one["lines"]["gate"]["in"]) for one in tallies.intervals("door", 3600)]
    assert hours == [("2026-05-01T12:00:00.000Z", 3), ("2026-05-01T13:00:00.000Z", 1)]
    assert [one["lines"]["gate"]["in"] for one in tallies.intervals("door", 60)] == [2, 1, 1]


def test_the_peak_of_a_zone_is_the_highest_and_not_a_sum() -> None:
    tallies = added_up(
        zone("entered", 1),
        zone("entered", 2, NOON + timedelta(minutes=1)),
        zone("left", 1, NOON + timedelta(minutes=2)),
    )
    [hour] = tallies.intervals("door", 3600)
    assert hour["zones"] == {"yard": {"entered": 2, "left": 1, "dwelt": 0, "peak": 2}}


def test_totals_of_a_zone_are_comings_goings_and_the_longest_stay() -> None:
    tallies = added_up(
        zone("entered", 1), zone("left", 0, dwell_s=7.5), zone("entered", 1), zone("left", 0)
    )
    assert tallies.zone("door", "yard") == ZoneTotals(entered=2, left=2, longest_s=7.5)
    assert tallies.zone("attic", "yard") == ZoneTotals()


def test_a_day_is_kept_and_no_more() -> None:
    minutes = range(KEPT_MINUTES + 10)
    tallies = added_up(*(crossed("out", NOON + timedelta(minutes=each)) for each in minutes))
    assert len(tallies.intervals("door", 60)) == KEPT_MINUTES


def test_an_hour_that_the_clock_goes_back_counts_nothing_twice() -> None:
    hours = (0, 1, 0, 1)  # forward by an hour, back, and forward again
    tallies = added_up(*(crossed("in", NOON + timedelta(hours=hour)) for hour in hours))
    counted = [one["lines"]["gate"]["in"] for one in tallies.intervals("door", 3600)]
    assert counted == [2, 2]


def test_what_was_counted_goes_on_after_a_kill(tmp_path: Path) -> None:
    count_until_killed(tmp_path)
    count_until_killed(tmp_path)
    with contextlib.closing(Outbox(tmp_path / "outbox.db", lambda: None)) as outbox:
        [hour] = outbox.intervals("door", 3600)
        assert hour["lines"]["gate"] == {"in": 2, "out": 0, "error": None}
        assert hour["zones"]["yard"] == {"entered": 2, "left": 2, "dwelt": 0, "peak": 2}
        assert outbox.zone_totals("door", "yard") == ZoneTotals(2, 2, 4.0)


def count_until_killed(folder: Path) -> None:
    outbox = Outbox(folder / "outbox.db", lambda: None)
    wanted = outbox.newest + 3
    for event in (crossed("in"), zone("entered", 2), zone("left", 1, dwell_s=4)):
        outbox.append(event)
    wait_until(lambda: outbox.newest == wanted, 60, "events are committed")
    outbox._held.release()
    outbox._keep_incoming = lambda: False  # type: ignore[method-assign]  # its thread does no more


def test_tallies_on_disk_are_those_of_a_day(tmp_path: Path) -> None:
    database = OutboxDatabase(tmp_path / "outbox.db")
    for day in range(3):
        tallies = tallies_of(zone("left", 1, NOON + timedelta(days=day), dwell_s=day))
        database.commit(Group("epoch", sums=Sums(day, tallies=tuple(tallies))))
    kept = {tally.minute for tally in database.tallies()}
    database.close()
    assert len(kept) == 2  # in all, and the last day


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
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def test_what_a_camera_counted_is_read_by_interval(app: RunningApp, client: httpx.Client) -> None:
    steps = falling([150, 180, 210, 240, 270, 300])
    app.detector.answer = lambda asked: steps[asked - 1]
    app.show()
    read = partial(client.get, "/v1/cameras/door/counts?interval=3600")
    wait_until(lambda: read().json()["intervals"], 60, "the crossing")
    [hour] = read().json()["intervals"]
    assert hour["lines"]["gate"] == {"in": 1, "out": 0, "error": None}


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


def test_an_interval_states_what_it_adds_to_the_error_of_the_total() -> None:
    counts = IntervalCounts()
    for minute, total in enumerate((3.0, 5.0, 5.0, 1.0)):
        counts.add(minute, "lines", "gate", "in", 1)
        counts.add(minute, "lines", "gate", "error", total)
    errors = [interval["lines"]["gate"]["error"] for interval in counts.read(60)]
    assert errors == [None, 4.0, 0.0, 1.0]
