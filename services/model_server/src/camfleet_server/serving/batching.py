"""Dynamic batching: a request that has a turn takes along those that wait and fit to it."""

import logging
import time

from camfleet_server.runtimes.base import Servable
from camfleet_server.serving.batch import Offer, join_inputs, make_offer, split_outputs
from camfleet_server.serving.inference import Inferred, SingleInference
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest, Tensors

logger = logging.getLogger(__name__)


class BatchedInference:
    """Infers up to `max_rows` rows at once; a leader waits `delay_s` at most for more of them."""

    def __init__(self, scheduler: Scheduler, max_rows: int, delay_s: float) -> None:
        self._scheduler = scheduler
        self._max_rows = max_rows
        self._delay_s = delay_s
        self._single = SingleInference(scheduler)

    def infer(
        self, request: InferRequest, servable: Servable, inputs: Tensors, wanted: tuple[str, ...]
    ) -> Inferred:
        """Wait for a turn and infer with whoever fits, or be inferred by somebody's turn."""
        offer = make_offer(servable, inputs, wanted, self._max_rows)
        if offer is None:
            return self._single.infer(request, servable, inputs, wanted)
        offer.deadline = request.deadline
        with self._scheduler.turn(request, offer) as turn:
            if not turn.is_carried:
                self._lead(offer, in_crowd=turn.in_crowd)
        if offer.error is not None:
            raise offer.error
        return Inferred(offer.outputs, offer.began_at, offer.ended_at, offer.executed_rows)

    def _lead(self, own: Offer, *, in_crowd: bool) -> None:
        tickets = self._scheduler.gather(own, self._max_rows, self._delay_s)
        gathered = [own, *(ticket.offer for ticket in tickets if ticket.offer)]
        try:
            offers = self._scheduler.in_time(gathered)
            if len(offers) <= 1 or not _infer_together(offers, in_crowd=in_crowd):
                for offer in offers:
                    _infer_alone(offer, in_crowd=in_crowd)
        finally:
            for ticket in tickets:
                ticket.wake()


def _infer_together(offers: list[Offer], *, in_crowd: bool) -> bool:
    """Fill in all offers; False when it fails: whose fault it is shows when each goes alone."""
    first = offers[0]
    began_at = time.perf_counter()
    try:
        outputs = first.servable.infer(join_inputs(offers), first.wanted, in_crowd=in_crowd)
        parts = split_outputs(outputs, offers)
    # A vendor's library may raise anything, and for one bad request of the batch.
    except Exception as error:  # noqa: BLE001 - each request is tried alone and keeps its own error
        logger.debug("batch failed requests=%s reason=%s", len(offers), error)
        return False
    ended_at = time.perf_counter()
    for offer, part in zip(offers, parts, strict=True):
        offer.outputs, offer.began_at, offer.ended_at = part, began_at, ended_at
        offer.executed_rows = 0
    first.executed_rows = sum(offer.rows for offer in offers)
    return True


def _infer_alone(offer: Offer, *, in_crowd: bool) -> None:
    offer.began_at = time.perf_counter()
    try:
        offer.outputs = offer.servable.infer(offer.inputs, offer.wanted, in_crowd=in_crowd)
    # A vendor's library may raise anything; the thread of the request raises it again.
    except Exception as error:  # noqa: BLE001 - kept for the request it belongs to
        offer.error = error
    offer.ended_at = time.perf_counter()
