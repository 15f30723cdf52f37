"""Our topics and payloads, and the choice of a layout."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from camfleet.service.events.stored import Stored
from camfleet.service.sinks.frigate import FrigateTopics
from camfleet.service.sinks.ports import CameraNow
from camfleet.service.sinks.publication import Publication, level
from camfleet_contracts.events import ZONE_LABELS
from camfleet_contracts.sinks import MqttSink


class Layout(Protocol):
    """What is published where."""

    online: Publication
    offline: Publication  # also the last will

    def publications(self, event: Stored) -> Iterator[Publication]:
        """The messages of one event, in order."""

    def kept(self, camera: str, now: CameraNow) -> Iterator[Publication]:
        """What the broker keeps of a camera, as it is now."""


def layout_of(settings: MqttSink, device_id: str) -> Layout:
    """The layout the settings name."""
    if settings.layout == "frigate":
        return FrigateTopics(settings.prefix)
    return CamfleetTopics(settings.prefix, device_id)


class CamfleetTopics:
    """`<prefix>/<device>/status`, `.../events/<camera>/<label>`, `.../cameras/<camera>/...`."""

    def __init__(self, prefix: str, device_id: str) -> None:
        self._root = f"{prefix}/{level(device_id)}"
        self.online = Publication(self.status, "online", True)
        self.offline = Publication(self.status, "offline", True)

    @property
    def status(self) -> str:
        """Says online or offline."""
        return f"{self._root}/status"

    def publications(self, event: Stored) -> Iterator[Publication]:
        """The event as it is, and the state that it tells, kept by the broker."""
        message = json.loads(event.text)
        label = str(message["results"].get("event_label") or message["type"])
        camera = level(event.camera or "_")
        yield Publication(f"{self._root}/events/{camera}/{level(label)}", event.text)
        if event.camera is not None:
            yield from self._states(event.camera, label, message["results"].get("data") or {})

    def kept(self, camera: str, now: CameraNow) -> Iterator[Publication]:
        """State, lines and zones."""
        yield Publication(self.state_of(camera), now.state, True)
        for line, (came, went) in now.lines.items():
            yield self._line(camera, line, came, went)
        for zone, inside in now.zones.items():
            yield Publication(self.zone_of(camera, zone), str(inside), True)

    def state_of(self, camera: str) -> str:
        """Where the state of a camera's connection is."""
        return f"{self._root}/cameras/{level(camera)}/state"

    def line_of(self, camera: str, line: str) -> str:
        """Where the totals of a line are, as JSON with `in` and `out`."""
        return f"{self._root}/cameras/{level(camera)}/lines/{level(line)}"

    def zone_of(self, camera: str, zone: str) -> str:
        """Where it says how many objects are inside a zone."""
        return f"{self._root}/cameras/{level(camera)}/zones/{level(zone)}"

    def _line(self, camera: str, line: str, came: int, went: int) -> Publication:
        return Publication(self.line_of(camera, line), json.dumps({"in": came, "out": went}), True)

    def _states(self, camera: str, label: str, facts: dict[str, Any]) -> Iterator[Publication]:
        if label == "camera_state":
            yield Publication(self.state_of(camera), str(facts["state"]), True)
        elif label == "line_crossed":
            yield self._line(camera, str(facts["line"]), facts["count_in"], facts["count_out"])
        elif label in ZONE_LABELS:
            yield Publication(
                self.zone_of(camera, str(facts["zone"])), str(facts["occupancy"]), True
            )
