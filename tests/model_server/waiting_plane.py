"""A data plane whose inferences wait for the test, as they wait for a turn in a busy server."""

import threading
from dataclasses import dataclass, field

from camfleet_server.errors import Abandoned
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane

LIMIT_S = 60


@dataclass
class WaitingPlane(FakeDataPlane):
    """Models of the name `increment` wait; `together` says how many must have come."""

    opened: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)
    together: threading.Barrier | None = None

    def infer(self, request: InferRequest) -> InferResult:
        self.requests.append(request)
        if self.together is not None:
            self.together.wait(LIMIT_S)
        elif not self.opened.is_set():
            self._wait(request)
        return InferResult(request.model, 2, dict(request.inputs))

    def _wait(self, request: InferRequest) -> None:
        assert request.on_abandoned is not None
        if not request.on_abandoned(self._leave):
            self._leave()
        self.opened.wait(LIMIT_S)
        if self.abandoned.is_set():
            raise Abandoned(request.model)

    def _leave(self) -> None:
        self.abandoned.set()
        self.opened.set()
