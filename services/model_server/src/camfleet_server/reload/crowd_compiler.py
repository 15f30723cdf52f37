"""The thread that compiles models a second time when crowds come to them."""

import logging
import queue
import threading
import time
from dataclasses import dataclass

from camfleet_server.memory import trim_memory
from camfleet_server.reload.loading import example_inputs, warm_up
from camfleet_server.runtimes.base import AlreadyClosed, ModelSource, Servable, ServesCrowds
from camfleet_server.serving.scheduler import Scheduler

logger = logging.getLogger(__name__)

_WORTHWHILE_S = 100e-6  # what is inferred faster only loses by spreading it over streams
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where a crowd came to."""

    source: ModelSource
    scheduler: Scheduler
    servable: ServesCrowds


class CrowdCompiler:
    """Compiles one after the other; requests never wait for it."""

    def __init__(self) -> None:
        self._crowds: queue.SimpleQueue[Crowd | None] = queue.SimpleQueue()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="crowd-compiler", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, crowd: Crowd) -> None:
        """Queue a servable that many requests come to."""
        self._crowds.put(crowd)

    @property
    def is_compiling(self) -> bool:
        """Tell, after `stop`, whether a compilation did not end in time."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float) -> None:
        """End the thread; a compilation under way is given `timeout_s`."""
        self._is_stopping = True
        self._crowds.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (crowd := self._crowds.get()) is not None and not self._is_stopping:
            try:
                _compile(crowd)
            except AlreadyClosed:
                logger.debug("unloaded meanwhile model=%s", crowd.source.name)
            # The attempt ends here whatever a vendor's library raised; what serves goes on.
            except Exception as error:  # noqa: BLE001 - a reason for the log, not a fault of ours
                logger.warning(
                    "crowds stay with the LATENCY compilation model=%s version=%s reason=%s",
                    crowd.source.name,
                    crowd.source.version,
                    error,
                )
            del crowd  # else an unloaded version would stay in memory until the next one


def _compile(crowd: Crowd) -> None:
    source, servable = crowd.source, crowd.servable
    if _fastest_s(servable) < _WORTHWHILE_S:
        logger.info("too fast for streams model=%s version=%s", source.name, source.version)
        return
    began_at = time.perf_counter()
    for_crowd = servable.compile_for_crowd()
    warm_up(for_crowd, runs=for_crowd.slots)
    servable.hand_over_crowd(for_crowd)
    crowd.scheduler.widen(for_crowd.slots)
    logger.info(
        "THROUGHPUT compiled for a crowd model=%s version=%s slots=%s seconds=%.2f",
        source.name,
        source.version,
        for_crowd.slots,
        time.perf_counter() - began_at,
    )
    trim_memory()


def _fastest_s(servable: Servable) -> float:
    """Time an inference of zeros; infinity where nobody knows a fitting size."""
    inputs = example_inputs(servable.inputs)
    if inputs is None:
        return float("inf")
    names = tuple(spec.name for spec in servable.outputs)
    times = []
    for _ in range(_TRIES):
        began_at = time.perf_counter()
        servable.infer(inputs, names)
        times.append(time.perf_counter() - began_at)
    return min(times)
