"""Notices when a failed inference left a model of no use, and keeps what may do so from it.

Some vendors' graphs answer nobody any more after one request that failed inside. Which one it was
cannot be told from the errors, as those after it fail alike; only what was answered before is known
to be good.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from camfleet_server.errors import ModelNotReady, ServerError
from camfleet_server.runtimes.base import Servable, may_break
from camfleet_server.serving.inference import Inference, Inferred, SingleInference
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest, Tensors

logger = logging.getLogger(__name__)

Shapes: TypeAlias = tuple[tuple[str, str, tuple[int, ...]], ...]

_REMEMBERED_SHAPES = 256
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 600.0
_CALM_S = 600.0  # so long without breaking, and the next pause is the first again


class ModelBroken(ServerError):
    """The loaded version answers nobody any more; another takes its place."""


class Durability:
    """What one version has answered and how often it broke, over all times it is loaded.

    After it broke, only shapes that were answered before are let in for a while, each time longer.
    That while counts from when it is loaded anew, however long that takes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answered: dict[Shapes, None] = {}
        self._pause_s = 0.0
        self._broke_at = self._pause_from = -math.inf

    def has_answered(self, shapes: Shapes) -> bool:
        """Tell whether a request of these shapes is known to be harmless."""
        return shapes in self._answered

    def note_answered(self, shapes: Shapes) -> None:
        """Remember shapes that were answered."""
        if shapes not in self._answered:
            with self._lock:
                if len(self._answered) < _REMEMBERED_SHAPES:
                    self._answered[shapes] = None

    def note_broken(self) -> float:
        """Make the pause twice as long as the last one; returns when it may be loaded, in s."""
        with self._lock:
            now = self._clock()
            wait_s = self.caution_s
            is_calm = now - self._broke_at > _CALM_S + self._pause_s
            longer_s = _FIRST_PAUSE_S if is_calm else self._pause_s * 2
            self._pause_s = min(longer_s, _LONGEST_PAUSE_S)
            self._broke_at = self._pause_from = now
            return wait_s

    def note_loaded(self) -> None:
        """Begin the pause anew: requests come to it from now on."""
        self._pause_from = self._clock()

    @property
    def caution_s(self) -> float:
        """For how long only shapes that were answered before are let in."""
        return max(0.0, self._pause_from + self._pause_s - self._clock())


class GuardedInference:
    """Infers as another does, and stops when that was the last thing the model did."""

    def __init__(
        self,
        inference: Inference,
        scheduler: Scheduler,
        durability: Durability,
        example_of: Callable[[Servable], Tensors | None],
        report: Callable[["GuardedInference", str], None],
    ) -> None:
        """Take `example_of` for what every model can infer; it may not know."""
        self.durability = durability
        self._inference = inference
        self._scheduler = scheduler
        self._alone = SingleInference(scheduler)
        self._example_of = example_of
        self._report = report
        self._known: set[int] = set()  # servables that answered
        self._samples: dict[int, Tensors] = {}  # by servable, where there is no example
        self._lock = threading.Lock()
        self._is_broken = False
        self._is_replaced = threading.Event()

    def infer(
        self, request: InferRequest, servable: Servable, inputs: Tensors, wanted: tuple[str, ...]
    ) -> Inferred:
        """Infer; raises what the other raises.

        Raises:
            ModelBroken: the model is broken, by another request.
            ModelNotReady: it was lately, and shapes like these were never answered.
        """
        if self._is_broken:
            raise ModelBroken
        shapes = shapes_of(inputs)
        is_harmless = self.durability.has_answered(shapes)
        if not is_harmless:
            self._admit(request)
        try:
            done = self._inference.infer(request, servable, inputs, wanted)
        except ServerError:
            raise
        # A vendor's library may raise anything; whoever asked is told.
        except Exception as error:
            if not may_break(servable) or self._still_answers(servable):
                raise
            self._break(request.model, error)
            if is_harmless:
                raise ModelBroken from error
            raise
        if not is_harmless or id(servable) not in self._known:
            self._remember(servable, shapes, inputs)
        return done

    def await_replacement(self, limit_s: float) -> bool:
        """Wait until another version took the place of this one."""
        return self._is_replaced.wait(limit_s)

    def mark_replaced(self) -> None:
        """Let those go on that wait for it: who looks the model up finds another."""
        self._is_replaced.set()

    def _admit(self, request: InferRequest) -> None:
        caution_s = self.durability.caution_s
        if caution_s:
            raise ModelNotReady(
                request.model,
                request.version,
                "a request broke it, and inputs of these sizes were never answered; send sizes "
                f"that were, or try again in {caution_s:.0f} s",
            )

    def _still_answers(self, servable: Servable) -> bool:
        """Infer something harmless as often as there are streams: one of them may be broken."""
        with self._lock:
            if self._is_broken:
                return False
            sample = self._example_of(servable) or self._samples.get(id(servable))
            if sample is None:
                return False  # it never answered anybody
            wanted = tuple(spec.name for spec in servable.outputs)
            check = InferRequest("", sample, priority=1)
            try:
                for _ in range(self._scheduler.slots):
                    self._alone.infer(check, servable, sample, wanted)
            except ServerError:
                return True  # no turn for it, which says nothing
            except Exception as error:  # noqa: BLE001 - whatever it is, it came from zeros
                logger.debug("check failed reason=%s", error)
                return False
        return True

    def _break(self, model: str, error: Exception) -> None:
        with self._lock:
            was_broken, self._is_broken = self._is_broken, True
        if not was_broken:
            logger.error(
                "model broken by a request model=%s reason=%s next=%s",
                model,
                error,
                "it is reloaded; requests of sizes that it answered before wait for it",
            )
            self._report(self, str(error))

    def _remember(self, servable: Servable, shapes: Shapes, inputs: Tensors) -> None:
        self.durability.note_answered(shapes)
        if id(servable) not in self._known:
            if self._example_of(servable) is None:
                self._samples[id(servable)] = {name: a.copy() for name, a in inputs.items()}
            self._known.add(id(servable))


def shapes_of(inputs: Tensors) -> Shapes:
    """Return what makes requests alike."""
    return tuple((name, array.dtype.char, array.shape) for name, array in inputs.items())
