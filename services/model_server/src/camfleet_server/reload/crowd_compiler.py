"""The thread that compiles models a second time when crowds come to them."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from camfleet_server.memory import trim_memory
from camfleet_server.reload.loading import example_inputs, warm_up
from camfleet_server.runtimes.base import AlreadyClosed, ModelSource, Servable, ServesCrowds
from camfleet_server.serving.scheduler import Scheduler

logger = logging.getLogger(__name__)

_WORTHWHILE_S = 100e-6  # what is inferred faster only loses by spreading it over streams
_HOPELESS_S = 10 * _WORTHWHILE_S
_TRIES, _MOST_TRIES = 5, 100


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
    if _is_too_fast(servable):
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


def _is_too_fast(servable: Servable) -> bool:
    """Time inferences of zeros; not known where nobody knows a fitting size."""
    inputs = example_inputs(servable.inputs)
    names = tuple(spec.name for spec in servable.outputs)
    return inputs is not None and is_ever_fast(lambda: servable.infer(inputs, names))


def is_ever_fast(
    infer: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> bool:
    """Tell whether an inference can be over at once: the crowd that came holds most of them up."""
    fastest_s = math.inf
    for number in range(_MOST_TRIES):
        began_at = clock()
        infer()
        fastest_s = min(fastest_s, clock() - began_at)
        if fastest_s < _WORTHWHILE_S:
            return True
        if fastest_s > _HOPELESS_S and number + 1 >= _TRIES:
            break
    return False
