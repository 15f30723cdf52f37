"""Topics and payloads as Frigate's users know them, as far as our events tell what is in them."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from camfleet.service.events.stored import Stored
from camfleet.service.sinks.ports import CameraNow
from camfleet.service.sinks.publication import Publication, level
from camfleet_contracts.events import ZONE_LABELS

_Step = Literal["new", "update", "end"]
_STEPS: dict[str, tuple[_Step, ...]] = {  # a stay in a zone is an event, and so is a crossing
    "zone_entered": ("new",),
    "zone_dwelt": ("update",),
    "zone_left": ("end",),
    "line_crossed": ("new", "end"),
}


class FrigateTopics:
    """`<prefix>/available`, `/events`, `/<camera>/status/detect`, `/<zone>/all`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.online = Publication(f"{prefix}/available", "online", True)
        self.offline = Publication(f"{prefix}/available", "offline", True)

    def publications(self, event: Stored) -> Iterator[Publication]:
        """What Frigate would say; nothing for events it does not know."""
        message = json.loads(event.text)
        label = str(message["results"].get("event_label"))
        facts = message["results"].get("data") or {}
        if event.camera is None:
            return
        if label == "camera_state":
            yield self._status(event.camera, str(facts["state"]))
        for step in _STEPS.get(label, ()):
            yield Publication(f"{self._prefix}/events", json.dumps(_change(message, step)))
        if label in ZONE_LABELS:
            yield self._inside(str(facts["zone"]), facts["occupancy"])

    def kept(self, camera: str, now: CameraNow) -> Iterator[Publication]:
        """State and zones."""
        yield self._status(camera, now.state)
        for zone, inside in now.zones.items():
            yield self._inside(zone, inside)

    def _status(self, camera: str, state: str) -> Publication:
        told = "online" if state == "LIVE" else "offline"
        return Publication(f"{self._prefix}/{level(camera)}/status/detect", told, True)

    def _inside(self, zone: str, count: int) -> Publication:
        return Publication(f"{self._prefix}/{level(zone)}/all", str(count), True)


def _change(message: dict[str, Any], step: _Step) -> dict[str, Any]:
    after = _tracked(message, step)
    before = {**after, "end_time": None, "current_zones": []} if step == "new" else after
    return {"type": step, "before": before, "after": after}


def _tracked(message: dict[str, Any], step: _Step) -> dict[str, Any]:
    results, facts = message["results"], message["results"]["data"]
    moment_s = datetime.fromisoformat(message["timestamp"]).timestamp()
    began_s = moment_s - float(facts.get("dwell_s") or 0)
    zones = [str(facts.get("zone") or facts.get("line"))]
    return {
        "id": facts.get("stay_id") or message["event_id"],
        "camera": message["camera"],
        "frame_time": moment_s,
        "label": results.get("object_label"),
        "sub_label": None,
        "false_positive": False,
        "start_time": round(began_s, 3),
        "end_time": moment_s if step == "end" else None,
        "current_zones": [] if step == "end" else zones,
        "entered_zones": zones,
        "has_snapshot": False,
        "has_clip": False,
        "active": True,
        "stationary": False,
    }
