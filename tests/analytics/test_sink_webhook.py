"""The webhook sink against a real HTTP server."""

import hashlib
import http.server
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet.service.sinks.webhook import signature
from free_ports import free_port
from serving_thread import in_thread
from sink_bench import SinkBench, crossing, sink_bench
from waiting import wait_until


class Receiver(http.server.ThreadingHTTPServer):
    """Answers with the codes it is told, then with 204, and remembers what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.codes: list[int] = []
        self.headers: dict[str, str] = {}
        self.received: list[tuple[int, dict[str, str], bytes]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def seqs(self, code: int = 204) -> list[int]:
        return [int(json.loads(body)["seq"]) for answer, _, body in self.received if answer == code]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        code = self.server.codes.pop(0) if self.server.codes else 204
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append((code, headers, body))
        self.send_response(code)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature it has
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with in_thread(Receiver()) as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path, receiver: Receiver) -> Iterator[SinkBench]:
    with sink_bench(tmp_path) as made:
        made.hosts = frozenset({receiver.host})
        yield made


def test_event_is_posted_with_its_id_and_a_signature(receiver: Receiver, bench: SinkBench) -> None:
    bench.environment = {"HOOK": "a secret"}
    address = f"http://{receiver.host}/events"
    sink = bench.start("webhook", address=address, secret="${env:HOOK}", token="${env:HOOK}")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    [(_, headers, body)] = receiver.received
    moment = headers["x-camfleet-timestamp"]
    assert headers["x-camfleet-signature"] == signature("a secret", moment, body)
    assert headers["x-camfleet-event-id"] == json.loads(body)["event_id"]
    assert headers["authorization"] == "Bearer a secret"


@pytest.mark.parametrize("code", [503, 429, 401, 403, 404, 405])
def test_event_is_posted_again_until_it_is_taken(
    receiver: Receiver, bench: SinkBench, code: int
) -> None:
    receiver.codes = [code]
    sink = bench.start("webhook", address=f"http://{receiver.host}/")
    bench.publish(crossing(1), crossing(2))
    bench.wait_until_delivered(sink)
    assert (receiver.seqs(code), receiver.seqs()) == ([1], [1, 2])
    assert sink.state.last_error == f"http://{receiver.host} answers {code}"
    assert (sink.state.state, sink.counts.delivered, sink.counts.refused) == ("connected", 2, 0)


def test_event_that_is_refused_for_good_is_given_up_and_counted(
    receiver: Receiver, bench: SinkBench
) -> None:
    receiver.codes = [422, 413]
    sink = bench.start("webhook", address=f"http://{receiver.host}/")
    bench.publish(crossing(1), crossing(2), crossing(3))
    bench.wait_until_delivered(sink)
    assert receiver.seqs() == [3]
    assert (sink.counts.delivered, sink.counts.refused) == (1, 2)


def test_sink_whose_events_are_all_refused_says_so_until_one_is_taken(
    receiver: Receiver, bench: SinkBench
) -> None:
    receiver.codes = [400, 400, 400]
    sink = bench.start("webhook", address=f"http://{receiver.host}/")
    bench.publish(crossing(1), crossing(2), crossing(3))
    wait_until(lambda: sink.state.reason, 60, "it is said")
    assert "refuses every event, the last 3" in str(sink.state.reason)
    assert sink.state.state == "connected"
    bench.publish(crossing(4))
    wait_until(lambda: not sink.state.reason, 60, "it heals")


@pytest.mark.parametrize("event_id", ["é\N{SNOWMAN}", "two\nlines", "x" * 100_000])
def test_event_of_an_older_release_whose_id_fits_no_header_arrives_and_stops_nothing(
    receiver: Receiver, bench: SinkBench, event_id: str
) -> None:
    sink = bench.start("webhook", address=f"http://{receiver.host}/")
    bench.publish(crossing(1).model_copy(update={"event_id": event_id}), crossing(2))
    bench.wait_until_delivered(sink)
    (_, headers, body), _ = receiver.received
    assert json.loads(body)["event_id"] == event_id
    assert headers["x-camfleet-event-id"] == hashlib.sha256(event_id.encode()).hexdigest()
    assert receiver.seqs() == [1, 2]
    assert sink.counts.failures == 0


def test_server_that_is_not_there_is_told_in_words(bench: SinkBench) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    bench.hosts = frozenset({address.removeprefix("http://")})
    sink = bench.start("webhook", address=f"{address}/events")
    bench.publish(crossing(1))
    bench.wait_for_state(sink, "waiting")
    assert sink.state.reason == f"{address}: connection refused: nothing listens there"


def test_server_that_does_not_answer_is_told_in_words(bench: SinkBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        bench.hosts = frozenset({address.removeprefix("http://")})
        sink = bench.start("webhook", address=f"{address}/events", timeout_s=0.2)
        bench.publish(crossing(1))
        bench.wait_for_state(sink, "waiting")
    assert sink.state.reason == f"{address}: no answer in time"


def test_path_of_the_address_is_not_shown(receiver: Receiver, bench: SinkBench) -> None:
    receiver.codes = [500]
    sink = bench.start("webhook", address=f"http://{receiver.host}/services/T0/secret")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    assert sink.state.last_error == f"http://{receiver.host} answers 500"


def test_redirect_is_not_followed(receiver: Receiver, bench: SinkBench) -> None:
    receiver.codes, receiver.headers = [302], {"location": "http://169.254.169.254/secrets"}
    sink = bench.start("webhook", address=f"http://{receiver.host}/")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    reason = "answers 302 and points to 169.254.169.254; redirects are not followed"
    assert reason in str(sink.state.last_error)


def test_host_that_is_not_allowed_gets_nothing(receiver: Receiver, bench: SinkBench) -> None:
    bench.hosts = frozenset({"127.0.0.1:1", "example.com"})
    sink = bench.start("webhook", address=f"http://{receiver.host}/")
    bench.publish(crossing(1))
    bench.wait_for_state(sink, "unusable")
    assert f"CAMFLEET_WEBHOOK_HOSTS={receiver.host}" in str(sink.state.reason)
    assert receiver.received == []


def test_secret_that_is_not_there_is_named(receiver: Receiver, bench: SinkBench) -> None:
    sink = bench.start("webhook", address=f"http://{receiver.host}/", secret="${env:GONE}")
    bench.wait_for_state(sink, "unusable")
    assert sink.state.reason == "${env:GONE} is not there"


def test_receiver_that_hangs_holds_up_no_other_sink(
    receiver: Receiver, bench: SinkBench, tmp_path: Path
) -> None:
    receiver.codes = [500] * 1000
    hook = bench.start("webhook", address=f"http://{receiver.host}/")
    log = bench.start("file", path="a.jsonl")
    bench.publish(*(crossing(number) for number in range(100)))
    bench.wait_until_delivered(log)
    wait_until(lambda: hook.state.state == "waiting", 60, "the webhook is down")
    assert bench.journal.cursors.get("webhook") == (0, 100, 0)
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 100
