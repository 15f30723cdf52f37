"""All pipelines of this process, kept equal to cameras.yaml while it runs."""

import logging
import threading
from collections.abc import Callable, Mapping

from camfleet.lines import LineCount
from camfleet.service.auto_cameras import PluggedIn, expanded
from camfleet.service.configured import ConfiguredCameras
from camfleet.service.events.journal import Journal
from camfleet.service.live_ports import LiveVideo
from camfleet.service.pipeline import Pipeline, SourceFactory, Surroundings
from camfleet.service.sinks.ports import CameraNow
from camfleet.service.sources import is_at_capture
from camfleet_contracts.cameras import Camera, CamerasFile
from camfleet_contracts.cameras_watch import SETTLE_S, CamerasWatch
from camfleet_contracts.redaction import redact
from camfleet_contracts.settings import FleetSettings

logger = logging.getLogger(__name__)

INTERVAL_S = 0.5


class PipelineFleet:
    """Follows the file by difference: what did not change is not touched. Owned by one thread."""

    def __init__(
        self,
        settings: FleetSettings,
        source_of: SourceFactory,
        live: LiveVideo,
        surroundings: Surroundings,
        journal: Journal,
    ) -> None:
        self.pipelines: Mapping[str, Pipeline] = {}  # replaced, never changed
        self.configured = ConfiguredCameras(settings)
        self._watch = CamerasWatch(settings.cameras_file, settings)
        self._capture = settings.capture
        self._source_of, self._live = source_of, live
        self._around, self._journal = surroundings, journal
        self.listener: Callable[[CamerasFile], None] = _ignore  # told before the cameras are
        self.plugged_in: Callable[[], PluggedIn | None] = dict  # None while nobody knows
        self._file = CamerasFile()
        self._plugged_in: PluggedIn = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras-file", daemon=True)

    def start(self) -> None:
        """Read the file now and follow it from now on; a bad file is a fault, not an error."""
        self.follow_file()
        self._thread.start()

    def stop(self) -> None:
        """End all pipelines."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(5)
        _stop_all(list(self.pipelines.values()))

    @property
    def fault(self) -> str | None:
        """Why the file as it is now is not followed: file, line, reason."""
        return self._watch.fault

    def now(self, camera: Camera) -> CameraNow | None:
        """What a camera is and sees now; None before its settings are in force."""
        pipeline = self.pipelines.get(camera.name)
        if pipeline is None or pipeline.camera != camera:
            return None
        counts = pipeline.counts
        lines = {one.name: counts.get(one.name, LineCount()) for one in camera.pipeline.lines}
        return CameraNow(
            state=pipeline.source.connection.state,
            lines={name: (count.entered, count.left) for name, count in lines.items()},
            zones={zone.shape.name: sum(zone.occupancy.values()) for zone in pipeline.zones},
        )

    def follow_file(self) -> None:
        """Read the file if it changed, and do what changed."""
        fault_before = self.fault
        cameras = self._watch.look()
        if self.fault and self.fault != fault_before:
            logger.error("cameras file refused reason=%s", self.fault)
        plugged_in = self.plugged_in()
        has_other_devices = plugged_in is not None and plugged_in != self._plugged_in
        if cameras is not None or has_other_devices:
            self._file = cameras or self._file
            self._plugged_in = self._plugged_in if plugged_in is None else plugged_in
            wanted = expanded(self._file.cameras, self._plugged_in)
            disabled = (one for one in self._file.cameras if not one.enabled)
            cameras_now = (*wanted.values(), *disabled)
            self.listener(self._file.model_copy(update={"cameras": cameras_now}))
            self._follow(wanted)
        if cameras is not None:
            self._watch.followed()

    def _run(self) -> None:
        while not self._stopped.wait(SETTLE_S if self._watch.is_settling else INTERVAL_S):
            try:
                self.follow_file()
            except Exception as error:  # the thread's border: a surprise must not end the following
                self._watch.put_off(redact(f"{type(error).__name__}: {error}"))
                logger.exception("cameras file could not be followed, it is tried again")

    def _follow(self, wanted: Mapping[str, Camera]) -> None:
        kept: dict[str, Pipeline] = {}
        gone = []
        for name, pipeline in self.pipelines.items():
            if name in wanted and self._has_same_source(pipeline.camera, wanted[name]):
                kept[name] = pipeline
            else:
                gone.append(pipeline)
        self._remove(gone, wanted)
        for name, pipeline in kept.items():
            if pipeline.camera != wanted[name]:
                logger.info("camera changed camera=%s", name)
                pipeline.reconfigure(wanted[name])
        for name in [name for name in wanted if name not in kept]:
            self.pipelines = {**self.pipelines, name: self._add(wanted[name])}
        self.pipelines = {name: self.pipelines[name] for name in wanted}

    def _has_same_source(self, running: Camera, wanted: Camera) -> bool:
        """True when the connection may stay."""
        return self._connection_of(running) == self._connection_of(wanted)

    def _connection_of(self, camera: Camera) -> tuple[str | bool | None, ...]:
        """What the address is made of; where there is capture, `source` is mostly its business."""
        is_captured = self._capture and not is_at_capture(camera.source, self._capture)
        own = None if is_captured else camera.source
        how = camera.capture
        return camera.detect_source, own, camera.credentials, how.real_time, how.alters

    def _add(self, camera: Camera) -> Pipeline:
        logger.info("camera added camera=%s model=%s", camera.name, camera.pipeline.model)
        live = self._live.camera(camera.name)
        source = self._source_of(camera, live)
        totals = self._journal.totals(camera.name)
        pipeline = Pipeline(camera, source, live, self._around, totals)
        pipeline.start()
        return pipeline

    def _remove(self, gone: list[Pipeline], wanted: Mapping[str, Camera]) -> None:
        self.pipelines = {n: p for n, p in self.pipelines.items() if p not in gone}
        _stop_all(gone)
        for pipeline in gone:
            if pipeline.camera.name not in wanted:
                logger.info("camera removed camera=%s", pipeline.camera.name)
                self._live.remove_camera(pipeline.camera.name)


def _ignore(_: CamerasFile) -> None:
    """Nobody else follows the file."""


def _stop_all(pipelines: list[Pipeline]) -> None:
    """All at once, so that one that waits for its camera holds up no other."""
    stopping = [
        threading.Thread(target=pipeline.stop, name=f"stop-{pipeline.camera.name}", daemon=True)
        for pipeline in pipelines
    ]
    for thread in stopping:
        thread.start()
    for thread in stopping:
        thread.join(4)
