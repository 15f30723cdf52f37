"""The MQTT sink against Debian's mosquitto with the configuration we ship."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from camfleet.service.events.journal import MemoryJournal
from camfleet.service.sinks.mqtt_topics import layout_of
from camfleet.service.sinks.ports import CameraNow
from camfleet_contracts.cameras_file import parse_cameras
from camfleet_contracts.sinks import MqttSink
from free_ports import free_port
from sink_bench import (
    Broker,
    SinkBench,
    crossing,
    happened,
    mosquitto,
    sink_bench,
    subscriber,
)
from waiting import wait_until

CAMERA = """cameras:
  - name: door
    source: demo:street
    pipeline:
      lines: [{name: gate, from: [0, 0.5], to: [1, 0.5]}]
      zones: [{name: porch, polygon: [[0, 0], [1, 0], [1, 1]]}]
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Broker]:
    shipped = repository / "compose" / "mosquitto.conf"
    with mosquitto(tmp_path_factory.mktemp("mosquitto"), shipped) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SinkBench]:
    with sink_bench(tmp_path) as made:
        yield made


def test_events_and_states_are_published_under_documented_topics(
    broker: Broker, bench: SinkBench
) -> None:
    with subscriber(broker.port, "one/#") as client:
        sink = bench.start("mqtt", address=f"mqtt://127.0.0.1:{broker.port}", topic="one")
        bench.publish(
            happened("camera_state", state="LIVE"),
            crossing(3),
            happened("zone_entered", zone="back/yard", occupancy=2),
            happened("custom", None),
        )
        bench.wait_until_delivered(sink)
        wait_until(lambda: len(client.received) >= 8, 60, "all messages come")
    newest = client.newest()
    assert newest["one/box/status"] == "online"
    assert json.loads(newest["one/box/events/door/line_crossed"])["seq"] == 2
    assert json.loads(newest["one/box/events/_/custom"])["seq"] == 4
    assert newest["one/box/cameras/door/state"] == "LIVE"
    assert json.loads(newest["one/box/cameras/door/lines/gate"]) == {"in": 3, "out": 0}
    assert newest["one/box/cameras/door/zones/back_yard"] == "2"


@pytest.mark.parametrize(
    ("layout", "zone", "expected"),
    [
        ("camfleet", "box/cameras/door/zones/porch", ["LIVE", '{"in": 140, "out": 2}', "0"]),
        ("frigate", "porch/all", ["online", "0"]),
    ],
)
def test_what_the_broker_kept_of_a_process_that_was_killed_is_put_right(
    broker: Broker, bench: SinkBench, layout: str, zone: str, expected: list[str]
) -> None:
    settings = {"kind": "mqtt", "address": f"mqtt://127.0.0.1:{broker.port}", "layout": layout}
    topic = f"killed-{layout}"
    with subscriber(broker.port, f"{topic}/#") as client:
        sink = bench.start("first", **settings, topic=topic)
        bench.publish(happened("zone_entered", zone="porch", occupancy=2))
        bench.wait_until_delivered(sink)
        sink.stop()
        bench.cameras = parse_cameras(CAMERA, path=Path("cameras.yaml")).cameras
        bench.now = {"door": CameraNow("LIVE", {"gate": (140, 2)}, {"porch": 0})}
        bench.start("second", **settings, topic=topic)
        wait_until(lambda: client.newest().get(f"{topic}/{zone}") == "0", 60, "it is empty")
    assert [text for _, text, _ in client.received][-len(expected) :] == expected


def test_broker_that_is_not_there_is_told_in_words(bench: SinkBench) -> None:
    port = free_port()
    sink = bench.start("mqtt", address=f"mqtt://127.0.0.1:{port}")
    bench.wait_for_state(sink, "waiting")
    assert sink.state.reason == f"127.0.0.1:{port}: connection refused: nothing listens there"


def test_death_of_analytics_is_told_by_the_broker(broker: Broker, tmp_path: Path) -> None:
    writer = Path(__file__).with_name("crossing_writer.py")
    sinks = f"sinks: {{mqtt: {{address: 'mqtt://127.0.0.1:{broker.port}', topic: three}}}}"
    with subscriber(broker.port, "three/box/status") as client:
        with subprocess.Popen([sys.executable, str(writer), str(tmp_path), sinks]) as process:
            wait_until(lambda: client.received, 60, "online")
            process.kill()
        wait_until(lambda: len(client.received) == 2, 60, "the last will")
    assert [text for _, text, _ in client.received] == ["online", "offline"]


def test_end_of_analytics_is_told(broker: Broker, bench: SinkBench) -> None:
    address = f"mqtt://127.0.0.1:{broker.port}"
    with subscriber(broker.port, "two/#") as client:
        sink = bench.start("mqtt", address=address, topic="two")
        wait_until(lambda: client.newest().get("two/box/status") == "online", 60, "online")
        sink.stop()
        wait_until(lambda: client.newest()["two/box/status"] == "offline", 60, "offline")


def test_home_assistant_learns_of_cameras_lines_and_zones(broker: Broker, bench: SinkBench) -> None:
    bench.cameras = parse_cameras(CAMERA, path=Path("cameras.yaml")).cameras
    address = f"mqtt://127.0.0.1:{broker.port}"
    found = "ha/+/camfleet_box/+/config"
    with subscriber(broker.port, found) as client:
        sink = bench.start("mqtt", address=address, home_assistant=True, discovery_topic="ha")
        wait_until(lambda: len(client.received) >= 5, 60, "all entities come")
        line = json.loads(client.newest()["ha/sensor/camfleet_box/door_line_gate_in/config"])
        bench.cameras = ()
        sink.wake()
        wait_until(lambda: len(client.received) >= 10, 60, "they are taken back")
    assert line["state_topic"] == "camfleet/box/cameras/door/lines/gate"
    assert line["value_template"] == "{{ value_json['in'] }}"
    assert line["availability_topic"] == "camfleet/box/status"
    assert set(client.newest().values()) == {""}


def test_home_assistant_forgets_what_went_while_nothing_ran(
    broker: Broker, bench: SinkBench
) -> None:
    address = f"mqtt://127.0.0.1:{broker.port}"
    settings: dict[str, Any] = {"kind": "mqtt", "address": address, "home_assistant": True}
    settings["discovery_topic"] = "went"
    with subscriber(broker.port, "went/#") as client:
        bench.cameras = parse_cameras(CAMERA, path=Path("cameras.yaml")).cameras
        sink = bench.start("first", **settings)
        wait_until(lambda: len(client.received) >= 5, 60, "all entities come")
        sink.stop()
        without_lines = CAMERA.replace("lines:", "# lines:")
        bench.cameras = parse_cameras(without_lines, path=Path("cameras.yaml")).cameras
        bench.start("second", **settings)
        wait_until(lambda: "" in client.newest().values(), 60, "the line is taken back")
        wait_until(lambda: len(client.received) >= 10, 60, "all have come again")
    gone = {topic for topic, text in client.newest().items() if not text}
    assert gone == {
        f"went/sensor/camfleet_box/door_line_gate_{way}/config" for way in ("in", "out")
    }


def test_frigates_topics_are_an_option(broker: Broker, bench: SinkBench) -> None:
    address = f"mqtt://127.0.0.1:{broker.port}"
    with subscriber(broker.port, "frigate/#") as client:
        sink = bench.start("mqtt", address=address, layout="frigate")
        bench.publish(
            happened("camera_state", state="STALLED"),
            happened("zone_entered", zone="porch", stay_id="1a", occupancy=1, dwell_s=0.0),
            happened("zone_left", zone="porch", stay_id="1a", occupancy=0, dwell_s=4.0),
            crossing(3),
        )
        bench.wait_until_delivered(sink)
        wait_until(lambda: len(client.received) >= 8, 60, "all messages come")
    changes = [json.loads(text) for topic, text, _ in client.received if topic == "frigate/events"]
    newest = client.newest()
    assert [change["type"] for change in changes] == ["new", "end", "new", "end"]
    ids = [change["after"]["id"] for change in changes]
    assert (ids[:2], ids[2]) == (["1a", "1a"], ids[3])
    assert changes[3]["after"]["entered_zones"] == ["gate"]
    assert changes[0]["after"]["current_zones"] == ["porch"]
    assert changes[1]["after"]["end_time"] - changes[1]["after"]["start_time"] == pytest.approx(4)
    assert newest["frigate/available"] == "online"
    assert newest["frigate/door/status/detect"] == "offline"
    assert newest["frigate/porch/all"] == "0"


@pytest.mark.parametrize(
    ("layout", "topics"), [("camfleet", ["t/box/events/door/zone_full"]), ("frigate", [])]
)
def test_an_applications_event_that_sounds_like_a_zone_is_no_state(
    layout: Literal["camfleet", "frigate"], topics: list[str]
) -> None:
    settings = MqttSink(kind="mqtt", address="mqtt://127.0.0.1", layout=layout, topic="t")
    journal = MemoryJournal(lambda: None)
    journal.append(happened("zone_full", occupancy=9))
    [event] = journal.read(0, 1)
    assert [one.topic for one in layout_of(settings, "box").publications(event)] == topics


def test_broker_that_is_killed_loses_nothing_and_mixes_nothing_up(
    tmp_path: Path, repository: Path, bench: SinkBench
) -> None:
    with (
        mosquitto(tmp_path, repository / "compose" / "mosquitto.conf") as broker,
        subscriber(broker.port) as client,
    ):
        sink = bench.start("mqtt", address=f"mqtt://127.0.0.1:{broker.port}")
        bench.publish(*(crossing(number) for number in range(50)))
        wait_until(lambda: len(client.events()) == 50, 60, "the first ones come")
        wait_until((tmp_path / "mosquitto.db").exists, 60, "the broker has saved the session")
        broker.kill()
        bench.publish(*(crossing(number) for number in range(50, 250)))
        bench.wait_for_state(sink, "waiting")
        assert "127.0.0.1" in str(sink.state.reason)
        broker.start()
        bench.wait_until_delivered(sink)
        wait_until(lambda: len(client.events()) == 250, 60, "the rest comes")
        assert (sink.counts.delivered, sink.state.state) == (250, "connected")
    assert client.events() == list(range(1, 251))
