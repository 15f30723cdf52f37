"""Inferring when one's turn has come."""

import time
from dataclasses import dataclass
from typing import Protocol

from camfleet_server.runtimes.base import Servable
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest, Tensors


@dataclass(frozen=True, slots=True)
class Inferred:
    """Outputs, and when on time.perf_counter() their inference began and ended."""

    outputs: Tensors
    began_at: float
    ended_at: float
    executed_rows: int | None = None  # of the batch it was in, 0: told by another; None: alone


class Inference(Protocol):
    """How the requests of one version come to their answers."""

    def infer(
        self, request: InferRequest, servable: Servable, inputs: Tensors, wanted: tuple[str, ...]
    ) -> Inferred:
        """Wait and infer; raises what a turn raises, and whatever the runtime raises."""
        ...


class SingleInference:
    """Every request is inferred by itself, in the thread that asks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def infer(
        self, request: InferRequest, servable: Servable, inputs: Tensors, wanted: tuple[str, ...]
    ) -> Inferred:
        """Wait for a turn and infer."""
        with self._scheduler.turn(request) as turn:
            began_at = time.perf_counter()
            outputs = servable.infer(inputs, wanted, in_crowd=turn.in_crowd)
            return Inferred(outputs, began_at, time.perf_counter())
