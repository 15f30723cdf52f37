"""/v1/stream over a real socket: choice, resuming, acknowledging, slow clients."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from camfleet.service import messages as made
from camfleet.service.events.hub import (
    EVENTS_AT_ONCE,
    RESULTS_PER_LISTENER,
    Choice,
    Listener,
    StreamHub,
)
from camfleet.service.events.quotas import KeyQuotas
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, Origin, Times, TrackingResults, envelope
from running_app import RunningApp, messages, running_app
from waiting import wait_until


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path, "cameras: []") as running:
        yield running


def event(text: str, camera: str = "door") -> Envelope:
    return made.camera_state(Origin("box", camera), "LIVE", text, "CONNECTING")


def result(camera: str = "door") -> Envelope:
    results = TrackingResults(objects=(), tracking_algorithm="ByteTrack", model_id="cars")
    return envelope(results, Origin("box", camera), Times(now_utc(), now_utc()))


def publish(app: RunningApp, *texts: str) -> None:
    for text in texts:
        app.hub.publish_event(event(text))


def reasons(received: list[dict[str, object]]) -> list[str]:
    return [json.loads(json.dumps(one))["results"]["data"]["reason"] for one in received]


def test_events_and_results_arrive(app: RunningApp) -> None:
    with app.stream() as client:
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        publish(app, "one")
        [first] = messages(client, 1)
        app.hub.publish_result(result())
        [second] = messages(client, 1)
    assert (first["type"], first["seq"], first["epoch"]) == (
        "OccurrenceEvent",
        1,
        app.journal.epoch,
    )
    assert second["type"] == "TrackingResults"
    assert "seq" not in second


def test_client_chooses_types_and_cameras(app: RunningApp) -> None:
    with app.stream("types=OccurrenceEvent&camera=yard") as client:
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        app.hub.publish_result(result("yard"))
        app.hub.publish_event(event("not this", "door"))
        app.hub.publish_event(event("this", "yard"))
        assert reasons(messages(client, 1)) == ["this"]


@pytest.mark.parametrize(
    ("choice", "is_wanted"),
    [
        (Choice(), True),
        (Choice(frozenset({"TrackingResults", "OccurrenceEvent"})), True),
        (Choice(frozenset({"OccurrenceEvent"})), False),
        (Choice(frozenset({"OccurrenceEvent", "ValueEvent", "CustomEvent"})), False),
        (Choice(cameras=frozenset({"other"})), False),
    ],
    ids=["all", "results too", "events only", "events of applications", "another camera"],
)
def test_results_are_made_only_for_who_wants_them(choice: Choice, is_wanted: bool) -> None:
    hub = StreamHub()
    assert not hub.wants_results("door")
    hub.listen(choice, 0)
    assert hub.wants_results("door") is is_wanted


def test_new_client_gets_only_what_is_new(app: RunningApp) -> None:
    publish(app, "old")
    with app.stream() as client:
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        publish(app, "new")
        assert reasons(messages(client, 1)) == ["new"]


def test_client_resumes_with_since(app: RunningApp) -> None:
    publish(app, "1", "2", "3", "4")
    with app.stream("since=2") as client:
        assert reasons(messages(client, 2)) == ["3", "4"]


def test_since_zero_sends_everything_in_order(app: RunningApp) -> None:
    publish(app, *(str(number) for number in range(450)))
    with app.stream("since=0") as client:
        received = messages(client, 450)
    assert [one["seq"] for one in received] == list(range(1, 451))


def test_named_client_resumes_after_what_it_acknowledged(app: RunningApp) -> None:
    publish(app, "1", "2", "3")
    with app.stream("client=ha&since=0") as client:
        messages(client, 3)
        client.send(json.dumps({"ack": 2}))
        wait_until(lambda: app.journal.acknowledged("ha") == 2, 60, "the acknowledgement")
    with app.stream("client=ha") as client:
        assert reasons(messages(client, 1)) == ["3"]


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", "1"])
def test_nonsense_from_a_client_is_ignored(app: RunningApp, text: str) -> None:
    with app.stream("client=ha") as client:
        client.send(text)
        client.send(json.dumps({"ack": 0}))
        wait_until(lambda: app.journal.acknowledged("ha") == 0, 60, "the acknowledgement")


@pytest.mark.parametrize("ack", ["x", True, None, 1.5, 2**63])
def test_wrong_acknowledgement_is_refused(app: RunningApp, ack: object) -> None:
    reason = "ack must be the seq of an event, a whole number"
    assert refusal(app.stream("client=ha"), json.dumps({"ack": ack})) == (4400, reason)
    assert app.journal.acknowledged("ha") is None


def test_acknowledgement_counts_in_its_epoch(app: RunningApp) -> None:
    publish(app, "1", "2", "3")
    with app.stream("client=ha&since=0") as client:
        messages(client, 3)
        client.send(json.dumps({"ack": 3, "epoch": "of another process"}))
        client.send(json.dumps({"ack": 2, "epoch": app.journal.epoch}))
        wait_until(lambda: app.journal.acknowledged("ha") == 2, 60, "the acknowledgement")


def test_wrong_epoch_of_an_acknowledgement_is_refused(app: RunningApp) -> None:
    closed = refusal(app.stream("client=ha"), json.dumps({"ack": 1, "epoch": 7}))
    assert closed == (4400, "epoch must be the epoch of an event, a text")


def test_key_with_too_many_connections_is_refused(app: RunningApp) -> None:
    app.hub.quotas = KeyQuotas(connections=1)
    with app.stream():
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        reason = "key 'test' has 1 connections already, its quota; close one first"
        assert refusal(app.stream()) == (4429, reason)
    wait_until(lambda: not app.hub.listeners, 60, "the first one left")
    with app.stream():
        wait_until(lambda: app.hub.listeners, 60, "the next one listens")


def test_client_that_sends_too_much_is_refused(app: RunningApp) -> None:
    app.hub.quotas = KeyQuotas(messages_per_s=0.001)  # however slowly the machine sends them
    acks = [json.dumps({"ack": 0})] * 12
    reason = "too many messages a second; acknowledge less"
    assert refusal(app.stream("client=ha"), *acks) == (4429, reason)


def test_events_over_the_quota_wait(app: RunningApp) -> None:
    app.hub.quotas = KeyQuotas(messages_per_s=20)
    with app.stream() as client:
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        publish(app, *(str(number) for number in range(24)))
        assert reasons(messages(client, 24)) == [str(number) for number in range(24)]


def test_results_over_the_quota_are_left_out(app: RunningApp) -> None:
    app.hub.quotas = KeyQuotas(messages_per_s=0.001)  # one, and the next in a quarter of an hour
    with app.stream() as client:
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        publish(app, "the only one")
        assert reasons(messages(client, 1)) == ["the only one"]
        app.hub.publish_result(result())
        wait_until(lambda: app.hub.quotas.left_out == 1, 60, "the result is left out")


def test_client_cannot_acknowledge_what_it_was_not_sent(app: RunningApp) -> None:
    publish(app, "1", "2")
    with app.stream("client=ha&since=0") as client:
        messages(client, 2)
        client.send(json.dumps({"ack": 2**63 - 1}))
        wait_until(lambda: app.journal.acknowledged("ha") == 2, 60, "the acknowledgement")


def test_slow_client_keeps_the_newest_results() -> None:
    listener = Listener(Choice(), 0)
    for number in range(RESULTS_PER_LISTENER + 10):
        listener.offer(str(number))
    kept = listener.take_results()
    assert kept == [str(number) for number in range(10, RESULTS_PER_LISTENER + 10)]
    assert listener.take_results() == []


def test_slow_client_loses_no_event(app: RunningApp) -> None:
    sent = [str(number) for number in range(EVENTS_AT_ONCE * 2)]
    with app.stream() as client:
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
        publish(app, *sent)
        assert reasons(messages(client, len(sent))) == sent


def say_all(client: ClientConnection, sent: Iterable[str]) -> None:
    for text in sent:
        client.send(text)
    client.recv(timeout=60)


def refusal(client: ClientConnection, *sent: str) -> tuple[int, str]:
    with client, pytest.raises(ConnectionClosed) as closed:
        say_all(client, sent)  # the refusal may come before the last one
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize("since", ["yesterday", "", str(2**63)])
def test_wrong_since_is_refused(app: RunningApp, since: str) -> None:
    reason = "since must be the seq of an event, a whole number"
    assert refusal(app.stream(f"since={since}")) == (4400, reason)


@pytest.mark.parametrize(
    ("types", "meant"),
    [
        ("TrackingResult", "TrackingResults"),
        ("OccurrenceEvent,valueEvent", "ValueEvent"),
        ("\U0001f6b2" * 60, ""),
    ],
    ids=["one letter is missing", "another case", "long and not ASCII"],
)
def test_type_that_does_not_exist_is_refused(app: RunningApp, types: str, meant: str) -> None:
    code, reason = refusal(app.stream(f"types={quote(types)}"))
    assert code == 4400
    assert reason.startswith("types: there is no '")
    assert f"did you mean {meant}" in reason


@pytest.mark.parametrize("path", ["/v1/stream", "/live/door"])
def test_client_without_a_key_is_told_so(app: RunningApp, path: str) -> None:
    code, reason = refusal(connect(f"ws://127.0.0.1:{app.port}{path}", open_timeout=60))
    assert (code, "a key is needed" in reason) == (4401, True)


def test_cookie_does_not_work_for_a_foreign_page(app: RunningApp) -> None:
    [key] = app.keys.list()
    cookie = f"camfleet_session={app.keys.new_session(key)}"
    url = f"ws://127.0.0.1:{app.port}/v1/stream"
    headers = {"Cookie": cookie}
    with connect(url, additional_headers=headers, origin=None, open_timeout=60):
        wait_until(lambda: app.hub.listeners, 60, "the client listens")
    foreign = connect(
        url, additional_headers={**headers, "Origin": "http://evil.example"}, open_timeout=60
    )
    assert refusal(foreign) == (4403, "this page is not ours")
