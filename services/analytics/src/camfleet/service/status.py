"""The state of everything, as the page and other programs read it from /v1/status."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from camfleet.service.capture_watch import CaptureView, CaptureWatch
from camfleet.service.events.journal import Journal
from camfleet.service.fleet import PipelineFleet
from camfleet.service.model_state import ModelState
from camfleet.service.pipeline import Pipeline
from camfleet.service.pipeline.cascades import RunningCascade
from camfleet.service.server_watch import ServerWatch
from camfleet.service.truth_counts import Counts, TruthCounts
from camfleet.video.connection import ReaderState
from camfleet.zones import ZoneWatcher
from camfleet_contracts.cameras import Camera, CamerasFile, source_kind
from camfleet_contracts.clock import now_utc, rfc3339
from camfleet_contracts.redaction import redact

Facts = dict[str, Any]

_VERSION = version("camfleet")  # of this process, whatever is installed beside it meanwhile


@dataclass(frozen=True, slots=True)
class Identity:
    """What does not change while the process runs."""

    device_id: str
    server: str
    cameras_file: str


@dataclass(frozen=True, slots=True)
class Watches:
    """What keeps an eye on the other services."""

    capture: CaptureWatch
    server: ServerWatch
    sinks: Callable[[], list[Facts]] = list


class StatusBoard:
    """Puts the snapshots of pipelines and capture together. Lives in the event loop."""

    def __init__(
        self, identity: Identity, fleet: PipelineFleet, watches: Watches, journal: Journal
    ) -> None:
        self._identity, self._fleet, self._journal = identity, fleet, journal
        self._capture, self._server, self.sinks = watches.capture, watches.server, watches.sinks
        self._truths: dict[str, TruthCounts] = {}  # used by the watch's thread only
        self._compared: dict[str, tuple[Counts, Counts]] = {}
        self._capture.listeners.append(self._compare)

    def read(self) -> Facts:
        """The whole state now."""
        view = self._capture.view
        pipelines = self._fleet.pipelines
        server = _server_service(self._identity.server, pipelines, self._server.faults)
        sinks = self.sinks()
        services = [_capture_service(view), server, *map(_sink_service, sinks)]
        return {
            "version": _VERSION,
            "device_id": self._identity.device_id,
            "time": rfc3339(now_utc()),
            "cameras_file": self.cameras_file,
            "newest_event": self._newest_event(),
            "health": _health(self._fleet.fault, services),
            "services": services,
            "sinks": sinks,
            "cameras": [self._camera(pipeline, view) for pipeline in pipelines.values()],
        }

    @property
    def device_id(self) -> str:
        """Of this box, in events."""
        return self._identity.device_id

    @property
    def cameras_file(self) -> str:
        """The file to edit."""
        return self._identity.cameras_file

    def told_of(self, camera: str) -> Mapping[str, Any]:
        """What capture told last of a camera; empty when it does not know it."""
        return self._capture.view.cameras.get(camera, {})

    def configured(self) -> CamerasFile:
        """The file as it is now. Waits for the disk: not for the event loop."""
        return self._fleet.configured.read()

    def facts_of(self, camera: Camera) -> Facts:
        """The configuration of a camera as /v1/cameras shows it, without secrets, and its state."""
        facts = camera.model_dump(mode="json", by_alias=True, exclude={"credentials"})
        for field in ("source", "detect_source"):
            if facts.get(field):
                facts[field] = redact(facts[field])
        return facts | {"state": self._state_of(camera)}

    def _state_of(self, camera: Camera) -> str:
        if not camera.enabled:
            return "DISABLED"
        names = self._capture.view.plugged_in.get(camera.name, (camera.name,))
        own = (self._fleet.pipelines.get(name) for name in names)
        pipeline = next((one for one in own if one), None)  # of `auto`: the first one
        if pipeline is None:
            return "STARTING"  # the file is followed within a second
        return _state(pipeline, self._capture.view.cameras.get(pipeline.camera.name, {}))

    def _newest_event(self) -> Facts | None:
        event = self._journal.newest_event
        return None if event is None else {"seq": event.seq, "epoch": event.epoch}

    def _camera(self, pipeline: Pipeline, view: CaptureView) -> Facts:
        camera, connection = pipeline.camera, pipeline.source.connection
        told = view.cameras.get(camera.name, {})
        statistics = pipeline.statistics
        latency_ms = statistics.latency_ms
        return {
            "name": camera.name,
            "state": _state(pipeline, told),
            "reason": _reason(pipeline, told),
            "source_kind": source_kind(camera.source),
            "recording": told.get("recording"),
            "picture": told.get("picture"),
            "width": connection.width,
            "height": connection.height,
            "source_fps": connection.source_fps or told.get("fps"),
            "fps": round(statistics.fps(time.monotonic()), 1),
            "latency_ms": None if latency_ms is None else round(latency_ms, 1),
            "loop_started_at": told.get("loop_started_at"),
            "model": _model(pipeline.model),
            "lines": self._lines(pipeline),
            "zones": [self._zone(camera.name, zone) for zone in pipeline.zones],
            "reads_with": list(pipeline.source.reads_with),
            "idle": _idle(pipeline),
            "cascades": [_cascade(cascade) for cascade in pipeline.cascades],
            "frames": _frames(pipeline),
            "cost": pipeline.ledger.facts(pipeline.source.counts, pipeline.statistics.analysed),
        }

    def _lines(self, pipeline: Pipeline) -> list[Facts]:
        counted, true = self._compared.get(pipeline.camera.name, ({}, {}))
        rows = []
        for line in pipeline.camera.pipeline.lines:
            count = pipeline.counts.get(line.name)
            row: Facts = {"name": line.name, "from": list(line.start), "to": list(line.end)}
            if count is not None:
                totals = {"in": count.entered, "out": count.left}
                row |= counted.get(line.name, totals) | {"total": totals}
                row["count_error"] = round(count.error, 1)
                row["by_label"] = {label: dict(each) for label, each in count.by_label.items()}
            if line.name in true:
                row["truth"] = true[line.name]
            rows.append(row)
        return rows

    def _zone(self, camera: str, zone: ZoneWatcher) -> Facts:
        totals = self._journal.zone_totals(camera, zone.shape.name)
        return {
            "name": zone.shape.name,
            "polygon": [list(point) for point in zone.shape.polygon],
            "occupancy": zone.occupancy,
            "entered": totals.entered,
            "left": totals.left,
            "longest_s": round(totals.longest_s, 1),
        }

    def _compare(self, view: CaptureView) -> None:
        """Set what is counted beside the truth of the same moment."""
        compared = {}
        for name, pipeline in self._fleet.pipelines.items():
            truth = view.truths.get(name)
            if truth is not None and pipeline.statistics.analysed:
                counts = self._truths.setdefault(name, TruthCounts())
                compared[name] = counts.compare(truth, pipeline.counts)
            elif name in self._compared and source_kind(pipeline.camera.source) == "demo":
                compared[name] = self._compared[name]  # both stand still while capture is away
        self._compared = compared


def _frames(pipeline: Pipeline) -> Facts:
    statistics = pipeline.statistics
    return {
        "decoded": pipeline.source.counts.decoded,
        "rested": pipeline.source.counts.rested,
        "dropped": pipeline.source.slot.replaced + pipeline.source.counts.late,
        "analysed": statistics.analysed,
        "skipped": pipeline.source.slot.skipped,
        "still": statistics.still,
        "shared": statistics.shared,
        "failed": statistics.failed,
    }


def _idle(pipeline: Pipeline) -> Facts | None:
    """Whether only key frames are decoded now, or why they never are; None where it is off."""
    if pipeline.camera.pipeline.idle is None:
        return None
    rest = pipeline.source.rest
    interval_s = rest.key_interval_s
    return {
        "resting": rest.is_resting,
        "key_frame_s": None if interval_s is None else round(interval_s, 2),
        "reason": rest.obstacle,
    }


def _state(pipeline: Pipeline, told: Mapping[str, Any]) -> ReaderState:
    state = pipeline.source.connection.state
    if state is not ReaderState.LIVE and _knows_better(pipeline, told):
        return ReaderState(told["state"])
    return state


def _reason(pipeline: Pipeline, told: Mapping[str, Any]) -> str | None:
    connection = pipeline.source.connection
    if pipeline.fault is not None:
        return pipeline.fault
    if connection.state is ReaderState.LIVE:
        return pipeline.model.reason or _word_on_picture(told)
    if _knows_better(pipeline, told) and told.get("reason"):
        return str(told["reason"])
    return connection.reason


def _word_on_picture(told: Mapping[str, Any]) -> str | None:
    """What capture says of pictures that come and show nothing, or of a device that gives less."""
    return str(told["reason"]) if told.get("state") == "LIVE" and told.get("reason") else None


def _knows_better(pipeline: Pipeline, told: Mapping[str, Any]) -> bool:
    """True where capture has no picture either; of a sub-stream it knows nothing."""
    away = set(ReaderState) - {ReaderState.LIVE}
    return pipeline.camera.detect_source is None and told.get("state") in away


def _cascade(running: RunningCascade) -> Facts:
    return {
        "name": running.cascade.name,
        "model": _model(running.asker.state),
        "asked": running.worker.asked,
        "failed": running.worker.failed,
    }


def _model(model: ModelState) -> Facts:
    return {
        "name": model.name.partition(":")[0],
        "version": None if model.version is None else str(model.version),
        "state": model.state,
        "reason": model.reason,
    }


def _capture_service(view: CaptureView) -> Facts:
    return {"name": "capture", "state": "failed" if view.reason else "ok", "reason": view.reason}


def _server_service(
    server: str, pipelines: Mapping[str, Pipeline], faults: tuple[str, ...]
) -> Facts:
    if not all(pipeline.model.server_answers for pipeline in pipelines.values()):
        reason = f"{server} does not answer; start it with: camfleet up"
        return {"name": "model-server", "state": "failed", "reason": reason}
    if faults:
        more = f" (and {len(faults) - 1} more in its /v1/config)" if len(faults) > 1 else ""
        return {"name": "model-server", "state": "warning", "reason": f"{faults[-1]}{more}"}
    return {"name": "model-server", "state": "ok", "reason": None}


def _sink_service(sink: Facts) -> Facts:
    """A sink beside the services; one that still connects is no fault yet."""
    states = {"connected": "ok", "connecting": "ok", "waiting": "warning", "unusable": "failed"}
    state, reason = states[sink["state"]], sink["reason"]
    if reason and state == "ok":
        state = "warning"  # it is connected, and refuses all it is given
    if reason and sink["queued"]:
        reason = f"{reason}; {sink['queued']} events wait"
    return {"name": f"sink {sink['name']}", "state": state, "reason": reason}


def _health(fault: str | None, services: list[Facts]) -> Facts:
    if fault:
        return {"state": "warning", "reason": fault}
    bad = next((service for service in services if service["state"] != "ok"), None)
    if bad:
        which = f"{bad['name']}: " if bad["name"].startswith("sink ") else ""
        return {"state": "warning", "reason": f"{which}{bad['reason']}"}
    return {"state": "ok", "reason": None}
