"""One camera's pipeline: takes the newest frame, asks the model, tracks, counts and publishes."""

import logging
import threading
import time
from dataclasses import replace

from camfleet.detections import no_detections
from camfleet.heat import HeatMap
from camfleet.inference.detector import Detected, Detector
from camfleet.inference.tiling import TiledDetector
from camfleet.lines import LineCount
from camfleet.service import messages
from camfleet.service.analysis import Analysis, Findings
from camfleet.service.label_check import LabelCheck
from camfleet.service.ledger import Ledger
from camfleet.service.live_ports import LiveCamera
from camfleet.service.model_state import ModelState
from camfleet.service.pacing import Pacer
from camfleet.service.pipeline.asking import ModelAsker
from camfleet.service.pipeline.cascades import Cascades, RunningCascade
from camfleet.service.pipeline.gating import AnswerGate
from camfleet.service.pipeline.idling import Idling
from camfleet.service.pipeline.ports import Outlet, Source, Surroundings
from camfleet.service.pipeline.publishing import Publishing
from camfleet.service.statistics import Statistics
from camfleet.tracking.box_tracker import BadTrackerParameters
from camfleet.video.connection import ReaderState
from camfleet.video.frames import Frame
from camfleet.zones import ZoneWatcher
from camfleet_contracts.cameras import Camera
from camfleet_contracts.events import Origin, Times
from camfleet_contracts.stages import Tiles

logger = logging.getLogger(__name__)

WAIT_FOR_FRAME_S = 0.25
ASK_AGAIN_S = 0.05
UNSEEN_S, FRAMES_UNSEEN = 10.0, 3  # without a frame analysed, until nobody is in a zone
NOTHING = Findings(no_detections())


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
        self.statistics, self.ledger = Statistics(), Ledger()
        self.fault: str | None = None  # of the configuration, or why no frame can be analysed
        self._logged_fault: str | None = None
        self._outlet = Outlet(Origin(surroundings.device_id, camera.name), surroundings.publisher)
        self._detector = surroundings.detector
        self._asker = ModelAsker(camera.pipeline.model, self._detector, self._outlet)
        self._publishing = Publishing(self._outlet, live, source, self.statistics, self.ledger)
        self._idling = Idling(camera.name, source.rest, live)
        self._cascades = Cascades(self._detector, self._outlet)
        self._label_check = LabelCheck()
        self._counts = counts
        self._analysis: Analysis | None = None
        self._highest_id = 0  # of the tracks of all analyses so far
        self._wanted = threading.Event()  # a new configuration waits
        self._stopped = threading.Event()
        self._seen_state = ReaderState.CONNECTING
        self._newest: Times | None = None  # of the frames that were analysed
        self._analysed_s = 0.0  # time.monotonic() of that
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
    def model(self) -> ModelState:
        """What is known of the model."""
        return self._asker.state

    @property
    def counts(self) -> dict[str, LineCount]:
        """Totals by line."""
        return self._counts

    @property
    def cascades(self) -> tuple[RunningCascade, ...]:
        """The second models."""
        return self._cascades.running

    @property
    def heat(self) -> HeatMap:
        """Where objects were."""
        return self._publishing.heat

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
            if self._is_blind():
                self._empty_zones()
        self._empty_zones()
        self._cascades.use(())

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
        self.source.slot.wants, self._gate = Pacer(pipeline.fps).is_due, AnswerGate()
        self._asker.use(pipeline.model, _in_tiles(self._detector, pipeline.tiles))
        self._publishing.use(pipeline)
        self._idling.use(pipeline.idle)
        self._cascades.use(pipeline.cascade)
        self._empty_zones()
        self._analysis = Analysis(pipeline, self._counts, self._highest_id)
        self._counts, self.fault, self._logged_fault = self._analysis.counts, None, None

    def _empty_zones(self) -> None:
        """Whoever is inside has left: the next analysis will not know them again."""
        if self._analysis is None or self._newest is None:
            return
        self._highest_id = self._analysis.highest_id
        for event in self._analysis.empty_zones():
            self._publishing.tell_of_zone(self._newest, event, NOTHING)

    def _is_blind(self) -> bool:
        """True when nobody can know any more who is inside: the camera or the model is away."""
        unseen_s = time.monotonic() - self._analysed_s
        return unseen_s > max(UNSEEN_S, FRAMES_UNSEEN / self.camera.pipeline.fps)

    def _prepare(self) -> None:
        if self._analysis is None:
            return
        try:
            self._analysis.prepare()
        except BadTrackerParameters as error:
            self._analysis, self.fault = None, str(error)
            logger.error("camera cannot be analysed camera=%s reason=%s", self.camera.name, error)  # noqa: TRY400 - the reason says it all

    def _take(self, frame: Frame, analysis: Analysis) -> None:
        detected = self._answer(frame, analysis)
        if detected is None:
            self.statistics.failed += 1
            self._publishing.show_without_result(frame)
            return
        if self._stopped.is_set():  # whoever took its place may have gone on counting
            return
        self._analyse(frame, detected, analysis)
        self.fault = self._label_check.fault(analysis.pipeline, detected.model)

    def _answer(self, frame: Frame, analysis: Analysis) -> Detected | None:
        """The model's answer; a film waits until there is one."""
        detected = self._detect(frame, analysis)
        waits = self.source.slot.keeps_all
        while waits and detected is None and not self._wanted.is_set():
            if self._stopped.wait(ASK_AGAIN_S):
                return None
            detected = self._detect(frame, analysis)
        return detected

    def _detect(self, frame: Frame, analysis: Analysis) -> Detected | None:
        """The model's answer, or its last one while nothing moves; None when there is none."""
        if not analysis.pipeline.motion:
            return self._ask(frame, analysis)
        repeated = self._gate.repeat(frame)
        self._idling.decide(self._gate.still_for_s(frame))
        if repeated:
            self.statistics.still += 1
            return repeated
        self._gate.keep(None)  # also when asking fails in a way nobody foresaw
        answer = self._ask(frame, analysis)
        self._gate.keep(answer)
        return answer

    def _ask(self, frame: Frame, analysis: Analysis) -> Detected | None:
        answer = self._asker.ask(frame.picture, analysis.lowest_confidence, frame.once)
        self.statistics.shared += answer is not None and answer.is_shared
        return answer

    def _analyse(self, frame: Frame, detected: Detected, analysis: Analysis) -> None:
        totals = {name: one.totals() for name, one in self._counts.items()}
        began_s = time.thread_time()
        findings = analysis.look(detected.detections, detected.model, frame)
        track_s = time.thread_time() - began_s
        findings = replace(findings, attributes=self._cascades.look(frame, findings.objects))
        self._newest = Times(frame.captured_at, frame.received_at)
        self._analysed_s = time.monotonic()
        self._publishing.publish(frame, detected, findings, totals)
        self._publishing.note(frame, detected, track_s)

    def _watch_connection(self) -> None:
        connection = self.source.connection
        before, self._seen_state = self._seen_state, connection.state
        if before is not connection.state:
            state, reason = connection.state, connection.reason
            self._outlet.event(messages.camera_state(self._outlet.origin, state, reason, before))


def _in_tiles(detector: Detector, tiles: Tiles | None) -> Detector:
    return detector if tiles is None else TiledDetector(detector, tiles)
