"""A journal and what feeds one sink from it, and brokers as Debian ships them."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from camfleet.service.events.journal import MemoryJournal
from camfleet.service.sinks.ports import CameraNow, SinkContext
from camfleet.service.sinks.registry import open_sink
from camfleet.service.sinks.runner import SinkRunner
from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, OccurrenceEvent, Origin, Times, envelope
from camfleet_contracts.sinks import parse_sink
from free_ports import free_port
from waiting import wait_until

DEVICE = "box"


def happened(label: str, camera: str | None = "door", **facts: Any) -> Envelope:
    body = OccurrenceEvent(event_label=label, object_label="car", object_id=4, data=facts)
    return envelope(body, Origin(DEVICE, camera), Times(now_utc(), now_utc()))


def crossing(count_in: int, camera: str = "door") -> Envelope:
    totals = {"count_in": count_in, "count_out": 0, "count_error": 0.2}
    facts = {"line": "gate", "direction": "in", **totals}
    return happened("line_crossed", camera, **facts)


class SinkBench:
    """Sinks of one journal in memory."""

    def __init__(self, folder: Path, bound: int = 100_000) -> None:
        self.journal = MemoryJournal(self._wake, bound)
        self.cameras = CamerasFile().cameras
        self.environment: dict[str, str] = {}
        self.hosts: frozenset[str] = frozenset()
        self.now: dict[str, CameraNow] = {}
        self._folder, self._runners = folder, list[SinkRunner]()

    def _wake(self) -> None:
        for runner in self._runners:
            runner.wake()

    def publish(self, *messages: Envelope) -> None:
        for message in messages:
            self.journal.append(message)

    def start(self, name: str, **settings: Any) -> SinkRunner:
        parsed = parse_sink(name, settings)
        context = SinkContext(
            DEVICE,
            lambda: self.environment,
            self._folder,
            self.hosts,
            lambda _: self.cameras,
            lambda: self.cameras,
            lambda camera: self.now.get(camera.name),
        )
        self.journal.cursors.open(name)
        runner = SinkRunner(name, self.journal, lambda: open_sink(name, parsed, context))
        self._runners.append(runner)
        runner.start()
        return runner

    def stop(self) -> None:
        for runner in self._runners:
            runner.stop()

    def wait_for_state(self, runner: SinkRunner, state: str) -> None:
        wait_until(lambda: runner.state.state == state, 60, f"{runner.name} is {state}")

    def wait_until_delivered(self, runner: SinkRunner) -> None:
        queued = self.journal.cursors
        wait_until(lambda: not queued.get(runner.name).queued, 60, f"{runner.name} has delivered")


@contextlib.contextmanager
def sink_bench(folder: Path, bound: int = 100_000) -> Iterator[SinkBench]:
    bench = SinkBench(folder, bound)
    try:
        yield bench
    finally:
        bench.stop()


class Broker:
    """A broker that can be killed and started again on its port."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port = port
        self._command, self._log = command, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self._is_listening, 60, f"{self._command[0]} listens")

    def _is_listening(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None


def _binary(name: str) -> str:
    found = shutil.which(name, path=f"{os.defpath}:/usr/sbin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed; run: tools/apt.sh {name}:{name}")
    return found


@contextlib.contextmanager
def mosquitto(folder: Path, shipped: Path) -> Iterator[Broker]:
    """The shipped configuration on another port, in another folder, saved every second."""
    port, text = free_port(), shipped.read_text()
    for setting, value in (
        ("listener", f"{port} 127.0.0.1"),
        ("persistence_location", f"{folder}/"),
        ("autosave_interval", "1"),
    ):
        text = re.sub(rf"(?m)^{setting} .*$", f"{setting} {value}", text)
    config = folder / "mosquitto.conf"
    config.write_text(text + "user root\n" * (os.geteuid() == 0))
    broker = Broker([_binary("mosquitto"), "-c", str(config)], port, folder / "mosquitto.log")
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@contextlib.contextmanager
def nats_server(folder: Path) -> Iterator[Broker]:
    port = free_port()
    address = ["-a", "127.0.0.1", "-p", str(port)]
    command = [_binary("nats-server"), "-js", "-sd", str(folder / "jetstream"), *address]
    broker = Broker(command, port, folder / "nats.log")
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


class Subscriber:
    """An MQTT client with a session that the broker keeps."""

    def __init__(self, port: int, topic: str) -> None:
        self.received: list[tuple[str, str, bool]] = []
        self.is_subscribed = threading.Event()
        self._topic = topic
        self._client = Client(CallbackAPIVersion.VERSION2, f"of {topic}", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self.is_subscribed.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _subscribe(self, client: Client, *_: object) -> None:
        client.subscribe(self._topic, 1)

    def _take(self, client: Client, data: object, message: MQTTMessage) -> None:
        self.received.append((message.topic, message.payload.decode(), message.retain))

    def events(self) -> list[int]:
        """Seqs in the order in which they came first."""
        payloads = [json.loads(text) for topic, text, _ in self.received if "/events/" in topic]
        return list(dict.fromkeys(int(one["seq"]) for one in payloads))

    def newest(self) -> dict[str, str]:
        return {topic: text for topic, text, _ in self.received}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def subscriber(port: int, topic: str = "#") -> Iterator[Subscriber]:
    made = Subscriber(port, topic)
    try:
        assert made.is_subscribed.wait(60)
        yield made
    finally:
        made.close()
