"""The top-level `sinks:` of cameras.yaml: what is taken, and how what is wrong is named."""

from pathlib import Path

import pytest

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.cameras_file import BadCameras, parse_cameras

FILE = """version: 1
sinks:
  mqtt: {address: "mqtt://broker", credentials: "${env:BROKER}"}
  audit:
    kind: file
    path: audit.jsonl
cameras:
  - {name: door, source: demo:street, pipeline: {sinks: [websocket, mqtt]}}
"""


def parsed(text: str) -> CamerasFile:
    return parse_cameras(text, path=Path("cameras.yaml"))


def test_sink_named_like_a_kind_is_of_that_kind() -> None:
    found = parsed(FILE).sinks
    assert {name: sink.kind for name, sink in found.items()} == {"mqtt": "mqtt", "audit": "file"}


def test_events_of_a_camera_that_says_nothing_go_to_all_sinks() -> None:
    without = FILE.replace("sinks: [websocket, mqtt]", "fps: 5")
    assert parsed(without).cameras[0].pipeline.sinks is None


def test_camera_may_name_a_kind_that_is_not_set_up_yet() -> None:
    assert parsed(FILE.replace("websocket, mqtt", "nats")).cameras[0].pipeline.sinks == ("nats",)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "reason"),
    [
        ("mqtt://broker", "http://broker", 3, "address: .*mqtt://host"),
        ("mqtt://broker", "mqtt://u:p@broker", 3, "address: .*holds credentials"),
        ("${env:BROKER}", "secret", 3, "credentials: .*never the secret itself"),
        ("credentials", "password", 3, "password: Extra inputs"),
        ("audit.jsonl", "audit.db", 6, "path: .*end in .jsonl or .txt"),
        ("audit.jsonl", "../audit.jsonl", 6, "path: .*must not contain"),
        ("kind: file", "kind: disk", 4, "kind: 'disk' is not one of mqtt, webhook, nats, file"),
        ("  audit:", "  websocket:", 4, "and not 'websocket'"),
        ("  audit:", "  Audit:", 4, "1 to 32 of a-z"),
        ("websocket, mqtt", "kafka", 8, "camera 'door': sink 'kafka' is not under"),
        ("websocket, mqtt", "A/B", 8, "sink 'A/B': use"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    right: str, wrong: str, line: int, reason: str
) -> None:
    with pytest.raises(BadCameras, match=rf"cameras\.yaml:{line}: .*{reason}") as fault:
        parsed(FILE.replace(right, wrong))
    assert "secret'" not in str(fault.value)


def test_two_sinks_do_not_share_a_file() -> None:
    twin = "  twin: {kind: file, path: audit.jsonl}\ncameras:"
    with pytest.raises(BadCameras, match=r"sink .twin.: path .audit[.]jsonl. is that"):
        parsed(FILE.replace("cameras:", twin))


def test_home_assistant_needs_our_topics() -> None:
    text = FILE.replace("credentials:", "home_assistant: true, layout: frigate, credentials:")
    with pytest.raises(BadCameras, match="home_assistant needs layout: camfleet"):
        parsed(text)
