"""One camera's pipeline: takes the newest frame, asks the model, tracks, counts and publishes."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import av

from camfleet.heat import HeatMap
from camfleet.inference.detector import Detected, Detector
from camfleet.inference.errors import InferenceError, ServerBusy
from camfleet.inference.served_model import ServedModel
from camfleet.lines import LineCount
from camfleet.service import messages
from camfleet.service.analysis import Analysis
from camfleet.service.interval_counts import IntervalCounts
from camfleet.service.live_ports import LiveCamera
from camfleet.service.model_state import ModelState, state_after
from camfleet.service.pacing import Pacer
from camfleet.service.statistics import Statistics
from camfleet.tracking.box_tracker import BadTrackerParameters
from camfleet.video.frames import Frame, FrameSlot
from camfleet.video.motion import MotionGate
from camfleet.video.reader import Connection, ReaderCounts, ReaderState
from camfleet.zones import ZoneEvent, ZoneWatcher
from camfleet_contracts.cameras import Camera
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, Origin, Times

logger = logging.getLogger(__name__)

WAIT_FOR_FRAME_S = 0.25
RETRY_S = (0.25, 2.0)  # shortest and longest wait after a model could not be asked


class Source(Protocol):
    """Where the frames come from, e.g. an RtspReader."""

    slot: FrameSlot
    connection: Connection
    counts: ReaderCounts

    def start(self) -> None:
        """Begin to fill the slot."""

    def stop(self) -> None:
        """End it."""


class Publisher(Protocol):
    """Where results and events go; called from many threads, must not block."""

    def publish_result(self, message: Envelope) -> None:
        """A result: who listens now gets it."""

    def publish_event(self, message: Envelope) -> None:
        """An event: it gets its number and is kept."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all pipelines of a service share."""

    detector: Detector
    publisher: Publisher
    device_id: str


class Pipeline:
    """A thread per camera. start, stop and reconfigure belong to one owner."""

    def __init__(
        self,
        camera: Camera,
        source: Source,
        live: LiveCamera,
        surroundings: Surroundings,
        counts: dict[str, LineCount],
    ) -> None:
        self.camera, self.source = camera, source
        self.statistics = Statistics()
        self.interval_counts, self.heat = IntervalCounts(), HeatMap()
        self.model = ModelState(camera.pipeline.model)
        self.fault: str | None = None  # of the configuration, or why no frame can be analysed
        self._logged_fault: str | None = None
        self._live, self._around = live, surroundings
        self._origin = Origin(surroundings.device_id, camera.name)
        self._counts = counts
        self._analysis: Analysis | None = None
        self._highest_id = 0  # of the tracks of all analyses so far
        self._gate = MotionGate()
        self._last: Detected | None = None  # the model's last answer, while it may be repeated
        self._wanted = threading.Event()  # a new configuration waits
        self._stopped = threading.Event()
        self._seen_state = ReaderState.CONNECTING
        self._retry_at_s, self._retry_s = 0.0, RETRY_S[0]
        self._apply_camera()
        self._thread = threading.Thread(
            target=self._run, name=f"pipeline-{camera.name}", daemon=True
        )

    def start(self) -> None:
        """Start reader and analysis."""
        self.source.start()
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End both; a request that is under way may end later."""
        self._stopped.set()
        self.source.stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def reconfigure(self, camera: Camera) -> None:
        """Take over new settings between two frames; the connection stays."""
        self.camera = camera
        self._wanted.set()

    @property
    def counts(self) -> dict[str, LineCount]:
        """Totals by line."""
        return self._counts

    @property
    def zones(self) -> list[ZoneWatcher]:
        """Who is inside the zones."""
        return [] if self._analysis is None else self._analysis.zones

    def _run(self) -> None:
        self._prepare()
        while not self._stopped.is_set():
            frame = self.source.slot.take(WAIT_FOR_FRAME_S)
            if self._wanted.is_set():
                self._wanted.clear()
                self._apply_camera()
                self._prepare()
            self._watch_connection()
            if frame is not None and self._analysis is not None:
                self._try_to_take(frame, self._analysis)
        self._empty_zones()

    def _try_to_take(self, frame: Frame, analysis: Analysis) -> None:
        try:
            self._take(frame, analysis)
        except Exception as error:  # the thread's border: one frame must not end a camera
            self.fault = f"frames cannot be analysed: {type(error).__name__}: {error}"
            if self.fault != self._logged_fault:
                logger.exception("frame failed camera=%s", self.camera.name)
                self._logged_fault = self.fault
            self.statistics.failed += 1

    def _apply_camera(self) -> None:
        pipeline = self.camera.pipeline
        self._pacer = Pacer(pipeline.fps)
        self._results_pacer = Pacer(pipeline.results_rate)
        self._retry_at_s, self._last = 0.0, None
        if self.model.name != pipeline.model:
            self.model = ModelState(pipeline.model)
        self._empty_zones()
        self._analysis = Analysis(pipeline, self._counts, self._highest_id)
        self._counts, self.fault, self._logged_fault = self._analysis.counts, None, None

    def _empty_zones(self) -> None:
        """Whoever is inside leaves now: the next analysis will not know them again."""
        if self._analysis is None:
            return
        self._highest_id, now = self._analysis.highest_id, now_utc()
        for event in self._analysis.empty_zones():
            self._tell_of_zone(Times(now, now), event)

    def _prepare(self) -> None:
        if self._analysis is None:
            return
        try:
            self._analysis.prepare()
        except BadTrackerParameters as error:
            self._analysis, self.fault = None, str(error)
            logger.error("camera cannot be analysed camera=%s reason=%s", self.camera.name, error)  # noqa: TRY400 - the reason says it all

    def _take(self, frame: Frame, analysis: Analysis) -> None:
        if not self._pacer.is_due(frame):
            self.statistics.skipped += 1
            return
        if time.monotonic() < self._retry_at_s:
            self._miss(frame)
            return
        try:
            detected = self._detect(frame, analysis)
        except InferenceError as error:
            self._last = None
            self._note_failure(error)
            self._miss(frame)
            return
        self._note_model(detected.model)
        self._publish(frame, detected, analysis)
        self.fault = None

    def _detect(self, frame: Frame, analysis: Analysis) -> Detected:
        """Ask the model, or repeat its last answer while nothing moves."""
        wanted = analysis.pipeline
        if wanted.motion and self._last is not None and self._gate.is_still(*_moment(frame)):
            self.statistics.still += 1
            return replace(self._last, duration_s=0.0)
        if wanted.motion and self._last is None:
            self._gate.forget()
            self._gate.is_still(*_moment(frame))
        confidence = analysis.lowest_confidence
        self._last = self._around.detector.detect(frame.picture, wanted.model, confidence)
        return self._last

    def _publish(self, frame: Frame, detected: Detected, analysis: Analysis) -> None:
        began_s = time.monotonic()
        totals = {name: LineCount(one.entered, one.left) for name, one in self._counts.items()}
        findings = analysis.look(detected.detections, detected.model, frame)
        track_s = time.monotonic() - began_s
        for crossing in findings.crossings:
            count = totals[crossing.line]
            count.add(crossing)  # several may cross in one frame, each with the totals after it
            missed = self.statistics.missed_ratio
            self._around.publisher.publish_event(
                messages.line_crossed(self._origin, frame, crossing, count, missed)
            )
            self.interval_counts.add_crossing(frame.captured_at, crossing)
        for event in findings.zone_events:
            self._tell_of_zone(Times(frame.captured_at, frame.received_at), event)
        self.heat.add(findings.objects, frame.size, 1 / analysis.pipeline.fps)
        self._show(frame, messages.results_of(self._origin, frame, detected, findings))
        latency_s = max(0.0, (now_utc() - frame.captured_at).total_seconds())
        self.statistics.note_frame(time.monotonic(), latency_s, detected.duration_s, track_s)

    def _tell_of_zone(self, times: Times, event: ZoneEvent) -> None:
        self._event(messages.zone_event(self._origin, times, event))
        self.interval_counts.add_zone_event(times.captured_at, event)

    def _show(self, frame: Frame, message: Envelope) -> None:
        if self._results_pacer.is_due(frame):
            self._around.publisher.publish_result(message)
            self.statistics.published += 1
        if self._live.wants_pictures:
            self._live.push_picture(frame, message.model_dump(mode="json", by_alias=True))

    def _miss(self, frame: Frame) -> None:
        self.statistics.failed += 1
        if self._live.wants_pictures:
            self._live.push_picture(frame, None)

    def _note_failure(self, error: InferenceError) -> None:
        if isinstance(error, ServerBusy):
            return
        self._retry_at_s = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_S[1])
        self._change_model(state_after(self.model, error))

    def _note_model(self, model: ServedModel) -> None:
        self._retry_s = RETRY_S[0]
        before = self.model
        if before.version not in {None, model.version}:
            changed = (self._origin, model.name, model.version, before.version)
            logger.info("model changed camera=%s to=%s", self.camera.name, changed[1:])
            self._event(messages.model_changed(*changed))
        if before.version != model.version or before.state != "ok":
            self._change_model(ModelState(before.name, model.version))

    def _change_model(self, state: ModelState) -> None:
        before, self.model = self.model, state
        if (before.state, before.reason) == (state.state, state.reason):
            return
        log = logger.info if state.state == "ok" else logger.warning
        facts = (self.camera.name, state.name, state.state, state.reason)
        log("model state camera=%s model=%s state=%s reason=%s", *facts)
        if before.state != state.state:
            self._event(messages.model_state(self._origin, state.name, state.state, state.reason))

    def _watch_connection(self) -> None:
        connection = self.source.connection
        before, self._seen_state = self._seen_state, connection.state
        if before is not connection.state:
            self._event(
                messages.camera_state(self._origin, connection.state, connection.reason, before)
            )

    def _event(self, message: Envelope) -> None:
        self._around.publisher.publish_event(message)


def _moment(frame: Frame) -> tuple[av.VideoFrame, float]:
    return frame.picture, frame.pts_s


SourceFactory = Callable[[Camera, LiveCamera], Source]
