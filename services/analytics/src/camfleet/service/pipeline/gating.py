"""Repeating the model's last answer while nothing moves."""

from dataclasses import replace

from camfleet.inference.detector import Detected
from camfleet.video.frames import Frame
from camfleet.video.motion import MotionGate


class AnswerGate:
    """One camera's last answer, good as long as the picture stands still. Not thread-safe."""

    def __init__(self) -> None:
        self._motion = MotionGate()
        self._last: Detected | None = None

    def repeat(self, frame: Frame) -> Detected | None:
        """The last answer when it still holds for this frame; None: ask, and `keep` the answer."""
        if self._last is None:
            self._motion.forget()
        if not self._motion.is_still(frame.picture, frame.pts_s, frame.once) or self._last is None:
            return None
        return replace(self._last, duration_s=0.0)

    def still_for_s(self, frame: Frame) -> float:
        """How long nothing has moved."""
        return self._motion.still_for_s(frame.pts_s)

    def keep(self, answer: Detected | None) -> None:
        """Take over what the model said about the frame that was asked about."""
        self._last = answer
