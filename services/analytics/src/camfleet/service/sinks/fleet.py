"""All sinks of this process, kept equal to the top-level `sinks:` of cameras.yaml."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from camfleet.service.events.hub import StreamHub
from camfleet.service.events.journal import Journal
from camfleet.service.events.stored import Sinks
from camfleet.service.sinks.ports import CameraNow, SinkContext, nothing_known
from camfleet.service.sinks.registry import open_sink
from camfleet.service.sinks.runner import STOP_LIMIT_S, SinkRunner
from camfleet_contracts.cameras import Camera, CamerasFile
from camfleet_contracts.settings import FleetSettings, process_environment
from camfleet_contracts.sinks import STREAM, SinkSettings

logger = logging.getLogger(__name__)


class SinkFleet:
    """Follows the file by difference. `follow` and `stop` belong to one thread."""

    def __init__(
        self, settings: FleetSettings, device_id: str, hub: StreamHub, journal: Journal
    ) -> None:
        self._hub, self._journal = hub, journal
        self._runners: Mapping[str, tuple[SinkSettings, SinkRunner]] = {}  # replaced, never changed
        self._missing: tuple[str, ...] = ()
        self.now: Callable[[Camera], CameraNow | None] = nothing_known
        self._cameras: tuple[Camera, ...] = ()
        self._context = SinkContext(
            device_id,
            process_environment,
            settings.state_dir / "events",
            frozenset(one.strip().lower() for one in settings.webhook_hosts.split(",")),
            self._cameras_of,
            lambda: self._cameras,
            self._now_of,
        )
        hub.also_wake(self.wake)

    def follow(self, cameras: CamerasFile) -> None:
        """Start, stop and change what the file changed; then tell the rest of new cameras."""
        self._cameras = tuple(camera for camera in cameras.cameras if camera.enabled)
        before, wanted = self._runners, cameras.sinks
        kept = {name: one for name, one in before.items() if wanted.get(name) == one[0]}
        gone = [runner for name, (_, runner) in before.items() if name not in kept]
        _stop_all(gone)
        self._journal.cursors.keep_only(wanted, time.monotonic())
        added = {
            name: (one, self._create(name, one)) for name, one in wanted.items() if name not in kept
        }
        self._runners = {name: kept.get(name) or added[name] for name in wanted}
        self._missing = _not_set_up(self._cameras, wanted)
        self._hub.route({camera.name: _route(camera) for camera in cameras.cameras})
        for _, runner in added.values():
            runner.start()
        self.wake()

    def wake(self) -> None:
        """New events have come."""
        for _, runner in self._runners.values():
            runner.wake()

    def stop(self) -> None:
        """End all of them; what is not delivered stays in the journal."""
        _stop_all([runner for _, runner in self._runners.values()])

    def facts(self) -> list[dict[str, Any]]:
        """The state and the figures of every sink."""
        facts = [self._facts_of(one, runner) for one, runner in self._runners.values()]
        return facts + [_facts_of_missing(name) for name in self._missing]

    def _create(self, name: str, settings: SinkSettings) -> SinkRunner:
        logger.info("sink set up sink=%s kind=%s", name, settings.kind)
        self._journal.cursors.open(name)
        return SinkRunner(name, self._journal, partial(open_sink, name, settings, self._context))

    def _facts_of(self, settings: SinkSettings, runner: SinkRunner) -> dict[str, Any]:
        state, counts = runner.state, runner.counts
        cursor = self._journal.cursors.get(runner.name)
        return {
            "name": runner.name,
            "kind": settings.kind,
            "state": state.state,
            "reason": state.reason,
            "queued": cursor.queued,
            "delivered": counts.delivered,
            "refused": counts.refused,
            "dropped": cursor.dropped,
            "failures": counts.failures,
            "last_error": state.last_error,
            "last_error_at": state.last_error_at,
        }

    def _cameras_of(self, sink: str) -> tuple[Camera, ...]:
        return tuple(
            camera
            for camera in self._cameras
            if camera.pipeline.sinks is None or sink in camera.pipeline.sinks
        )

    def _now_of(self, camera: Camera) -> CameraNow | None:
        return self.now(camera)


def _route(camera: Camera) -> Sinks:
    names = camera.pipeline.sinks
    return None if names is None else tuple(name for name in names if name != STREAM)


def _not_set_up(cameras: tuple[Camera, ...], sinks: Collection[str]) -> tuple[str, ...]:
    named = {name for camera in cameras for name in camera.pipeline.sinks or ()}
    return tuple(sorted(named - {STREAM, *sinks}))


def _facts_of_missing(name: str) -> dict[str, Any]:
    reason = f"cameras name '{name}', but it is not set up under 'sinks:' of cameras.yaml"
    counts = dict.fromkeys(("queued", "delivered", "refused", "dropped", "failures"), 0)
    state = {"name": name, "kind": name, "state": "unusable", "reason": reason}
    return {**state, **counts, "last_error": reason, "last_error_at": None}


def _stop_all(runners: list[SinkRunner]) -> None:
    """All at once, so that one that hangs holds up no other."""
    stopping = [
        threading.Thread(target=runner.stop, name=f"stop-sink-{runner.name}", daemon=True)
        for runner in runners
    ]
    for thread in stopping:
        thread.start()
    for thread in stopping:
        thread.join(STOP_LIMIT_S + 1)
