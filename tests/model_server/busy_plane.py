"""A data plane with one slow model in front of a real scheduler; its others answer at once."""

import threading

from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane

LIMIT_S = 60
SLOW = "echo"


class BusyPlane(FakeDataPlane):
    """The model `echo` has one slot, and holds it until `opened` is set."""

    def __init__(self, queue_limit: int = 256) -> None:
        super().__init__()
        self.opened = threading.Event()
        self.scheduler = Scheduler(SLOW, 1, queue_limit)

    def infer(self, request: InferRequest) -> InferResult:
        if request.model != SLOW:
            return super().infer(request)
        with self.scheduler.turn(request):
            self.opened.wait(LIMIT_S)
            return super().infer(request)
