"""Asking the model: its answer, a rest after a failure, and what is known of its state."""

import logging
import time

import av

from camfleet.inference.detector import Detected, Detector
from camfleet.inference.errors import InferenceError, ServerBusy
from camfleet.inference.served_model import ServedModel
from camfleet.service import messages
from camfleet.service.model_state import ModelState, state_after
from camfleet.service.pipeline.ports import Outlet
from camfleet.video.once import Once

logger = logging.getLogger(__name__)

RETRY_S = (0.25, 2.0)  # shortest and longest wait after a model could not be asked
START_S = 15.0  # so long a model that never answered may take to load before that is an event


class ModelAsker:
    """One camera's model. Changes of its version and state are events. Not thread-safe."""

    def __init__(self, reference: str, detector: Detector, outlet: Outlet) -> None:
        """`reference` is "name" or "name:version"."""
        self._begin(reference)
        self._detector, self._outlet = detector, outlet
        self._retry_at_s, self._retry_s = 0.0, RETRY_S[0]

    def use(self, reference: str, detector: Detector) -> None:
        """Ask this model in this way from now on, at once."""
        self._retry_at_s, self._detector = 0.0, detector
        if self.state.name != reference:
            self._begin(reference)

    def _begin(self, reference: str) -> None:
        self.state = ModelState(reference)  # replaced, never changed: others may read it
        self._told, self._begun_at_s = self.state.state, time.monotonic()

    @property
    def is_resting(self) -> bool:
        """True for a while after a failure: nothing is asked."""
        return time.monotonic() < self._retry_at_s

    def ask(
        self, picture: av.VideoFrame, confidence: float, once: Once | None = None
    ) -> Detected | None:
        """The model's answer; None when it has none for this picture, or rests after a failure.

        `once` belongs to the picture: who else has it asks the same model no second time.
        """
        if self.is_resting:
            return None
        try:
            detected = self._detector.detect(picture, self.state.name, confidence, once)
        except InferenceError as error:
            self._note_failure(error)
            return None
        self._note_answer(detected.model)
        return detected

    def _note_failure(self, error: InferenceError) -> None:
        if isinstance(error, ServerBusy):
            return
        self._retry_at_s = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_S[1])
        self._change(state_after(self.state, error))

    def _note_answer(self, model: ServedModel) -> None:
        self._retry_s = RETRY_S[0]
        before, origin = self.state, self._outlet.origin
        if before.version not in {None, model.version}:
            changed = (model.name, model.version, before.version)
            logger.info("model changed camera=%s to=%s", origin.camera, changed)
            self._outlet.event(messages.model_changed(origin, *changed))
        if before.version != model.version or before.state != "ok":
            self._change(ModelState(before.name, model.version))

    def _change(self, state: ModelState) -> None:
        before, self.state = self.state, state
        facts, origin = (state.name, state.state, state.reason), self._outlet.origin
        is_event = self._told != state.state and not self._is_starting
        if is_event or (before.state, before.reason) != (state.state, state.reason):
            is_expected = state.state == "ok" or self._is_starting
            log = logger.info if is_expected else logger.warning
            log("model state camera=%s model=%s state=%s reason=%s", origin.camera, *facts)
        if is_event:
            self._told = state.state
            self._outlet.event(messages.model_state(origin, *facts))

    @property
    def _is_starting(self) -> bool:
        """Whether what it waits for may be the start of the fleet."""
        is_waiting = self.state.state == "warning" and self.state.version is None
        return is_waiting and time.monotonic() < self._begun_at_s + START_S
