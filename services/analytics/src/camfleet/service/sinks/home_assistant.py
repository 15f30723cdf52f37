"""What Home Assistant's MQTT discovery is told: cameras, lines and zones as entities."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from camfleet.service.sinks.mqtt_topics import CamfleetTopics
from camfleet_contracts.cameras import Camera
from camfleet_contracts.sinks import MqttSink

_NO_ID = re.compile(r"[^A-Za-z0-9_-]")

_Entity = tuple[str, str, dict[str, Any]]  # component, object id, what is special about it


def announcements(settings: MqttSink, device_id: str, cameras: Sequence[Camera]) -> dict[str, str]:
    """Topic and retained payload of every entity."""
    topics, node = CamfleetTopics(settings.prefix, device_id), _node(device_id)
    shared = {
        "availability_topic": topics.status,
        "device": {
            "identifiers": [node],
            "name": f"camfleet {device_id[:8]}",
            "manufacturer": "camfleet",
        },
    }
    announced = {}
    for camera in cameras:
        for component, object_id, own in _entities(camera, topics):
            topic = f"{settings.discovery_topic}/{component}/{node}/{object_id}/config"
            unique = {"unique_id": f"{node}_{object_id}"}
            announced[topic] = json.dumps({**own, **unique, **shared})
    return announced


def announced_before(settings: MqttSink, device_id: str) -> str:
    """What to subscribe to for all announcements of this device that the broker keeps."""
    return f"{settings.discovery_topic}/+/{_node(device_id)}/+/config"


def _node(device_id: str) -> str:
    return f"camfleet_{_id(device_id)}"


def _entities(camera: Camera, topics: CamfleetTopics) -> Iterator[_Entity]:
    name = camera.name
    yield (
        "binary_sensor",
        f"{_id(name)}_online",
        {
            "name": f"{name} online",
            "device_class": "connectivity",
            "state_topic": topics.state_of(name),
            "value_template": "{{ 'ON' if value == 'LIVE' else 'OFF' }}",
        },
    )
    for line in camera.pipeline.lines:
        for direction in ("in", "out"):
            yield (
                "sensor",
                f"{_id(name)}_line_{_id(line.name)}_{direction}",
                {
                    "name": f"{name} {line.name} {direction}",
                    "state_class": "total_increasing",
                    "state_topic": topics.line_of(name, line.name),
                    "value_template": f"{{{{ value_json['{direction}'] }}}}",
                },
            )
    for zone in camera.pipeline.zones:
        state_topic = topics.zone_of(name, zone.name)
        object_id = f"{_id(name)}_zone_{_id(zone.name)}"
        title = f"{name} {zone.name}"
        count = {"name": f"{title} objects", "state_class": "measurement"}
        yield "sensor", object_id, {**count, "state_topic": state_topic}
        occupied = {
            "name": f"{title} occupied",
            "device_class": "occupancy",
            "value_template": "{{ 'ON' if value | int > 0 else 'OFF' }}",
        }
        yield "binary_sensor", f"{object_id}_occupied", {**occupied, "state_topic": state_topic}


def _id(text: str) -> str:
    return _NO_ID.sub("_", text)
