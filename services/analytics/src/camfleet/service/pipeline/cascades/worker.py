"""Asks one second model in a thread of its own, a few pictures at a time."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import av
import numpy as np
from numpy.typing import NDArray

from camfleet.inference.crops import Rectangle
from camfleet.inference.detector import Detected

logger = logging.getLogger(__name__)

WAIT_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One object as it was seen in one frame."""

    track: int
    box: NDArray[np.float32]  # in frame pixels
    cut: Rectangle  # where the picture is in the frame
    picture: av.VideoFrame


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """An answer about a view; its boxes are in frame pixels."""

    view: View
    answer: Detected


class CascadeWorker:
    """Takes no more work before the last is done: nothing piles up. One thread gives and takes."""

    def __init__(self, name: str, ask: Callable[[av.VideoFrame], Detected | None]) -> None:
        """`ask` returns None when the model has no answer."""
        self.asked = self.failed = 0
        self._name, self._ask = name, ask
        self._changed = threading.Condition()
        self._views: list[View] = []
        self._said: list[Said] = []
        self._is_busy = self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"cascade-{name}", daemon=True)
        self._thread.start()

    @property
    def is_free(self) -> bool:
        """True when views may be given."""
        return not self._is_busy

    def give(self, views: list[View]) -> None:
        """Let the model be asked about these, the worker being free."""
        with self._changed:
            self._views, self._is_busy = views, True
            self._changed.notify()

    def take(self) -> list[Said]:
        """What was said since the last time."""
        with self._changed:
            said, self._said = self._said, []
        return said

    def stop(self) -> None:
        """End the thread once its request is over; waits a little."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(WAIT_S)

    def _run(self) -> None:
        while views := self._next():
            for view in views:
                if self._stopped:
                    return
                self._look_at(view)
            self._is_busy = False

    def _next(self) -> list[View]:
        """Views to ask about; none when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._views or self._stopped)
            views, self._views = self._views, []
            return [] if self._stopped else views

    def _look_at(self, view: View) -> None:
        self.asked += 1
        try:
            answer = self._ask(view.picture)
        except Exception:  # the thread's border: one picture must not end the cascade
            logger.exception("second model failed cascade=%s", self._name)
            answer = None
        if answer is None:
            self.failed += 1
            return
        with self._changed:
            self._said.append(Said(view, _in_the_frame(answer, view)))


def _in_the_frame(answer: Detected, view: View) -> Detected:
    corner = np.asarray(view.cut[:2], np.float32)
    return replace(answer, detections=answer.detections.placed(np.ones(2, np.float32), corner))
