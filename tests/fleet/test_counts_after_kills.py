"""What a broker's client got after broker and analytics were killed, with state and without."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet_of_processes import (
    Fleet,
    empty_fleet,
    kill_analytics,
    start_analytics,
    start_capture,
    start_server,
)
from sink_bench import Broker, Subscriber, mosquitto, subscriber
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.long]

CAMERAS = """\
version: 1
sinks: {{mqtt: {{address: 'mqtt://127.0.0.1:{port}'}}}}
cameras:
  - name: street
    source: demo:street
    pipeline:
      model: demo-street
      fps: 5
      lines: [{{name: gate, from: [0, 0.68], to: [1, 0.68]}}]
"""
TIMEOUT_S = 180

Event = dict[str, Any]


@contextmanager
def counting_fleet(repository: Path, folder: Path, port: int) -> Iterator[Fleet]:
    with empty_fleet(folder) as fleet:
        (folder / "cameras.yaml").write_text(CAMERAS.format(port=port))
        shutil.copytree(repository / "models" / "demo-street", folder / "models" / "demo-street")
        entry = {"config": {"name": "demo-street", "base_path": "demo-street"}}
        config = json.dumps({"model_config_list": [entry]})
        (folder / "models" / "config.json").write_text(config)
        start_capture(fleet)
        start_server(fleet)
        start_analytics(fleet)
        yield fleet


def test_log_of_events_has_no_gap_and_no_false_count(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    shipped = repository / "compose" / "mosquitto.conf"
    with (
        mosquitto(tmp_path / "broker", shipped) as broker,
        subscriber(broker.port, "camfleet/#") as client,
        counting_fleet(repository, tmp_path, broker.port) as fleet,
    ):
        wait_for_crossings(client, 3)
        wait_until((tmp_path / "broker" / "mosquitto.db").exists, 60, "the session is saved")
        kill_both_while_events_wait(fleet, broker)
        start_analytics(fleet)
        broker.start()
        wait_for_crossings(client, len(crossings(client)) + 8)
        kill_analytics(fleet)
        start_analytics(fleet, "--outbox", "memory")  # as if started elsewhere, without a volume
        wait_for_crossings(client, len(crossings(client)) + 4)
        true = fleet.get(f"{fleet.capture_http}/cameras/street/truth")["counts"]["gate"]
    with_state, without = by_epoch(events(client))
    for epoch in (with_state, without):
        assert [event["seq"] for event in epoch] == list(range(1, len(epoch) + 1))
        assert totals(epoch) == list(range(1, len(totals(epoch)) + 1))
    counted, doubt = totals(with_state)[-1] + totals(without)[-1], errors(with_state, without)
    assert counted <= true["in"] + true["out"] + doubt


def kill_both_while_events_wait(fleet: Fleet, broker: Broker) -> None:
    broker.kill()

    def queued() -> bool:
        [sink] = fleet.get(f"{fleet.page}/v1/status")["sinks"]
        return int(sink["queued"]) >= 3

    wait_until(queued, TIMEOUT_S, "events wait for the broker")
    kill_analytics(fleet)


def wait_for_crossings(client: Subscriber, count: int) -> None:
    wait_until(lambda: len(crossings(client)) >= count, TIMEOUT_S, f"{count} crossings come")


def events(client: Subscriber) -> list[Event]:
    """Each event once, in the order in which they came first."""
    payloads = [json.loads(text) for topic, text, _ in client.received if "/events/" in topic]
    return list({event["event_id"]: event for event in payloads}.values())


def crossings(client: Subscriber) -> list[Event]:
    return [one for one in events(client) if one["results"]["event_label"] == "line_crossed"]


def by_epoch(all_events: list[Event]) -> list[list[Event]]:
    epochs = dict.fromkeys(event["epoch"] for event in all_events)
    return [[event for event in all_events if event["epoch"] == epoch] for epoch in epochs]


def facts(epoch: list[Event]) -> list[dict[str, Any]]:
    told = [event["results"] for event in epoch]
    return [one["data"] for one in told if one["event_label"] == "line_crossed"]


def totals(epoch: list[Event]) -> list[int]:
    return [int(one["count_in"] + one["count_out"]) for one in facts(epoch)]


def errors(*epochs: list[Event]) -> float:
    return float(sum(facts(epoch)[-1]["count_error"] for epoch in epochs))
