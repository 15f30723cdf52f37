"""/v1/events: pages, choices and exports of what happened."""

import csv
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from camfleet.service.http import past_events
from camfleet_contracts.events import Envelope
from running_app import RunningApp, running_app

COUNT = 1200


def crossing(number: int) -> Envelope:
    label = "car" if number % 2 else "person"
    return Envelope.model_validate(
        {
            "type": "OccurrenceEvent",
            "camera": "door" if number % 3 else "yard",
            "device_id": "box",
            "event_id": f"event-{number}",
            "timestamp": "2026-11-29T21:00:00Z",
            "captured_at": f"2026-11-29T{number // 60:02d}:{number % 60:02d}:00Z",
            "results": {
                "event_label": "line_crossed",
                "object_label": label,
                "object_id": number,
                "zone_label": "gate",
                "data": {
                    "line": "gate",
                    "direction": "in",
                    "track_id": number,
                    "count_in": number,
                    "count_out": 0,
                    "count_error": 0.0,
                },
            },
        }
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running_app(tmp_path_factory.mktemp("events")) as app:
        fill(app)
        headers = {"authorization": f"Bearer {app.key}"}
        with httpx.Client(
            base_url=app.address, headers=headers, trust_env=False, timeout=60
        ) as client:
            yield client


def fill(app: RunningApp) -> None:
    for number in range(COUNT):
        app.journal.append(crossing(number))


def numbers(page: dict[str, Any]) -> list[int]:
    return [event["results"]["object_id"] for event in page["events"]]


def get(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_the_newest_events_come_first(client: httpx.Client) -> None:
    page = get(client, limit=3, event="line_crossed")
    assert numbers(page) == [COUNT - 1, COUNT - 2, COUNT - 3]


def test_pages_follow_each_other_without_gap_or_repetition(client: httpx.Client) -> None:
    seen: list[int] = []
    following: int | None = None
    for _ in range(4):
        place = {} if following is None else {"before": following}
        page = get(client, limit=500, event="line_crossed", **place)
        seen, following = seen + numbers(page), page["next"]
        if following is None:
            break
    assert seen == list(range(COUNT))[::-1]
    assert following is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"camera": "yard", "limit": 2}, [1197, 1194]),
        ({"label": "car", "limit": 2}, [1199, 1197]),
        ({"place": "nowhere"}, []),
        ({"from": "2026-11-29T19:58:00Z", "event": "line_crossed"}, [1199, 1198]),
        ({"to": "2026-11-29T00:01:00Z", "event": "line_crossed"}, [1, 0]),
        ({"to": "2026-11-29T01:01:00+01:00", "event": "line_crossed"}, [1, 0]),
    ],
)
def test_events_are_chosen(client: httpx.Client, query: dict[str, Any], found: list[int]) -> None:
    assert numbers(get(client, **query)) == found


@pytest.mark.parametrize("kind", [{"format": "csv"}, {"export": "1"}], ids=["table", "json"])
def test_an_export_finds_what_happened_long_ago(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, kind: dict[str, str]
) -> None:
    monkeypatch.setattr(past_events, "SCANNED_AT_ONCE", 100)
    query = {"label": "person", "to": "2026-11-29T00:00:30Z"}
    assert get(client, **query)["events"] == []
    assert "gate" in client.get("/v1/events", params=query | kind).text


def test_an_export_of_more_than_ten_thousand_events_is_whole(tmp_path: Any) -> None:
    with running_app(tmp_path) as app:
        event = crossing(1)
        for _ in range(10_001):
            app.journal.append(event)
        headers = {"authorization": f"Bearer {app.key}"}
        url = f"{app.address}/v1/events?export=1&event=line_crossed"
        exported = httpx.get(url, headers=headers, trust_env=False, timeout=60).json()
    assert (len(exported["events"]), exported["next"]) == (10_001, None)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "500"),
        ({"before": "-1"}, "before"),
        ({"from": "yesterday"}, "RFC 3339"),
        ({"from": "2026-11-29T00:00:00"}, "time zone"),
        ({"format": "xml"}, "json or csv"),
        ({"camra": "door"}, "no parameter 'camra'; did you mean camera?"),
        ({"qqq": "1"}, "there are apiKey, before, camera"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(
    client: httpx.Client, query: dict[str, str], words: str
) -> None:
    answer = client.get("/v1/events", params=query)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def test_a_table_has_a_row_for_each_event(client: httpx.Client) -> None:
    answer = client.get("/v1/events", params={"format": "csv", "label": "car"})
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert "attachment" in answer.headers["content-disposition"]
    assert (len(rows), rows[0]["object"], rows[0]["place"]) == (COUNT // 2, "1199", "gate")


def test_an_export_may_be_limited(client: httpx.Client) -> None:
    query = {"export": "1", "event": "line_crossed", "limit": 600}
    first = get(client, **query)
    second = get(client, before=first["next"], **query)
    assert numbers(first)[-1] == COUNT - 600
    assert (numbers(second)[0], numbers(second)[-1], second["next"]) == (COUNT - 601, 0, None)


def test_a_table_for_people_opens_as_utf_8_in_a_spreadsheet(client: httpx.Client) -> None:
    query = {"format": "csv", "limit": "1"}
    for_programs = client.get("/v1/events", params=query).content
    for_people = client.get("/v1/events", params=query | {"export": "1"}).content
    assert for_programs.startswith(b"captured_at")
    assert for_people == "\ufeff".encode() + for_programs


def test_a_table_tells_all_of_an_applications_events(tmp_path: Any) -> None:
    queue = {"event_label": "queue", "value": 4, "zone_label": "till", "data": {"of": 10}}
    with running_app(tmp_path) as app:
        for type_, results in (("ValueEvent", queue), ("CustomEvent", {"cpu_temp": 51.2})):
            message = crossing(1).model_copy(update={"type": type_, "results": results})
            app.journal.append(message)
        headers = {"authorization": f"Bearer {app.key}"}
        url = f"{app.address}/v1/events?format=csv"
        text = httpx.get(url, headers=headers, trust_env=False).text
    rows = {row["event"]: row for row in csv.DictReader(text.splitlines())}
    custom, value = rows["CustomEvent"], rows["queue"]
    assert (value["camera"], value["place"]) == ("door", "till")
    assert json.loads(value["data"]) == {"value": 4, "data": {"of": 10}}
    assert json.loads(custom["data"]) == {"cpu_temp": 51.2}


def test_a_name_is_never_a_formula(tmp_path: Any) -> None:
    with running_app(tmp_path) as app:
        message = crossing(1)
        message.results["object_label"] = "=HYPERLINK(1)"
        app.journal.append(message)
        headers = {"authorization": f"Bearer {app.key}"}
        url = f"{app.address}/v1/events?format=csv"
        assert "'=HYPERLINK" in httpx.get(url, headers=headers, trust_env=False, timeout=60).text
