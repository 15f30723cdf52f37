"""Admission to one loaded version: a bounded line in front of as many turns as it has slots.

The caller's thread waits for its turn and then infers itself; nothing is handed between threads,
unless requests are batched: then the one that has a turn carries others that wait. Who goes next
is `waiting_line`'s matter. A request whose deadline passed or whose client went away never gets a
turn; a newer request of the same stream id takes the place of one that still waits.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from camfleet_server.errors import (
    Abandoned,
    DeadlineExceeded,
    QueueFull,
    ServerError,
    Superseded,
)
from camfleet_server.serving.batch import Offer
from camfleet_server.serving.crowd import CrowdGauge
from camfleet_server.serving.gathering import Gathering
from camfleet_server.serving.waiting_line import Fate, Ticket, WaitingLine
from camfleet_server.types import InferRequest


class SchedulerClosed(ServerError):
    """The version is being retired and takes no new request; look the model up again."""


class Turn:
    """The right to infer, held for a `with` block; entering it waits.

    Raises:
        SchedulerClosed, QueueFull, Superseded, DeadlineExceeded, Abandoned.
    """

    __slots__ = ("_offer", "_request", "_scheduler", "in_crowd", "is_carried")

    def __init__(self, scheduler: "Scheduler", request: InferRequest, offer: Offer | None) -> None:
        self._scheduler = scheduler
        self._request = request
        self._offer = offer
        self.is_carried = False  # another request inferred this one; the offer has the answer
        self.in_crowd = False

    def __enter__(self) -> Self:
        self.is_carried = self._scheduler.take(self._request, self._offer)
        self.in_crowd = self._scheduler.has_crowd
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.is_carried:
            self._scheduler.give_back()


class Scheduler:
    """Grants turns; every method may be called from any thread."""

    def __init__(
        self,
        model: str,
        slots: int,
        queue_limit: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._slots = slots
        self._running = 0
        self._queue_limit = queue_limit
        self._clock = clock
        self._lock = threading.Lock()
        self._line = WaitingLine()
        self._crowd = CrowdGauge()
        self._gathering: Gathering | None = None
        self._on_drained: Callable[[], None] | None = None

    @property
    def slots(self) -> int:
        """How many requests may have a turn at once."""
        return self._slots

    @property
    def waiting(self) -> int:
        """How many requests wait for a turn."""
        return len(self._line)

    @property
    def running(self) -> int:
        """How many requests have a turn."""
        return self._running

    @property
    def has_crowd(self) -> bool:
        """Tell whether requests use to meet others at present."""
        return self._crowd.is_crowd

    def turn(self, request: InferRequest, offer: Offer | None = None) -> Turn:
        """Make the turn of a request; an offer lets it be inferred together with others."""
        return Turn(self, request, offer)

    def take(self, request: InferRequest, offer: Offer | None = None) -> bool:
        """Wait for a turn, to be given back; True when another request carried this one instead.

        Raises:
            SchedulerClosed, QueueFull, Superseded, DeadlineExceeded, Abandoned.
        """
        with self._lock:
            if self._on_drained is not None:
                raise SchedulerClosed
            if self._is_expired(request.deadline):
                raise DeadlineExceeded(self._model)
            is_free = self._running < self._slots and not self._line
            self._crowd.note(meets_others=self._running > 0)
            joined = offer is not None and self._gathering and self._gathering.fits(offer)
            if is_free and not joined:
                self._running += 1
                return False
            ticket = self._join(request, offer) if joined else self._enqueue(request, offer)
        return self._wait(ticket, request)

    def give_back(self) -> None:
        """End a turn; the next ones in line get theirs."""
        with self._lock:
            self._running -= 1
            self._grant()
            drained = self._on_drained if self._running == 0 else None
        if drained:
            drained()

    def gather(self, offer: Offer, max_rows: int, delay_s: float) -> list[Ticket]:
        """Take what fits to an offer that has a turn out of the line, waiting a while for more.

        The caller fills in the offers of the tickets and wakes them, whatever happens.
        """
        gathering = Gathering(offer, max_rows, delay_s, self._clock)
        with self._lock:
            for ticket in self._line:
                if ticket.offer and gathering.fits(ticket.offer) and not self._drop(ticket):
                    self._line.remove(ticket)
                    gathering.add(ticket)
            if gathering.is_full or delay_s <= 0 or self._gathering or self._on_drained:
                return gathering.tickets
            self._gathering = gathering
        gathering.wait()
        with self._lock:
            self._gathering = None
        return gathering.tickets

    def in_time(self, offers: list[Offer]) -> list[Offer]:
        """Leave out offers whose deadline passed; they get DeadlineExceeded for an answer."""
        for offer in offers:
            if self._is_expired(offer.deadline):
                offer.error = DeadlineExceeded(self._model)
        return [offer for offer in offers if offer.error is None]

    def widen(self, slots: int) -> None:
        """Allow more turns at once."""
        with self._lock:
            self._slots = max(self._slots, slots)
            self._grant()

    def close(self, on_drained: Callable[[], None]) -> None:
        """Admit nobody any more; `on_drained` is called once, after the last admitted one."""
        with self._lock:
            if self._on_drained is not None:
                return
            self._on_drained = on_drained
            is_drained = self._running == 0
        if is_drained:
            on_drained()

    def _join(self, request: InferRequest, offer: Offer | None) -> Ticket:
        self._supersede(request)
        ticket = Ticket(request, offer)
        assert self._gathering is not None  # noqa: S101 - the caller looked, under the lock
        self._gathering.add(ticket)
        return ticket

    def _enqueue(self, request: InferRequest, offer: Offer | None) -> Ticket:
        self._supersede(request)
        if len(self._line) >= self._queue_limit:
            raise QueueFull(self._model, self._queue_limit)
        ticket = Ticket(request, offer)
        self._line.add(ticket)
        return ticket

    def _supersede(self, request: InferRequest) -> None:
        older = self._line.find(request.stream_id) if request.stream_id else None
        if older:
            self._turn_away(older, Fate.SUPERSEDED)

    def _wait(self, ticket: Ticket, request: InferRequest) -> bool:
        try:
            self._sleep(ticket, request)
        # Whatever it is: a ticket without a thread would be given a turn that nobody gives back.
        except BaseException:
            if not self._leave(ticket, Fate.ABANDONED) and ticket.fate is Fate.GRANTED:
                self.give_back()
            raise
        if ticket.fate is Fate.CARRIED:
            return True
        if ticket.fate is Fate.GRANTED and self._is_expired(ticket.deadline):
            self.give_back()
            ticket.fate = Fate.EXPIRED
        if ticket.fate is Fate.GRANTED:
            return False
        raise self._refusal(ticket)

    def _sleep(self, ticket: Ticket, request: InferRequest) -> None:
        if request.on_abandoned is not None:
            abandon = partial(self._abandon, ticket)
            if not request.on_abandoned(abandon):
                abandon()
        timeout_s = None if ticket.deadline is None else ticket.deadline - self._clock()
        if not ticket.sleep(timeout_s) and not self._leave(ticket, Fate.EXPIRED):
            ticket.sleep(None)  # carried: its answer is on the way

    def _refusal(self, ticket: Ticket) -> ServerError:
        if ticket.fate is Fate.SUPERSEDED:
            return Superseded(self._model, ticket.stream_id or "")
        if ticket.fate is Fate.ABANDONED:
            return Abandoned(self._model)
        return DeadlineExceeded(self._model)

    def _abandon(self, ticket: Ticket) -> None:
        self._leave(ticket, Fate.ABANDONED)

    def _leave(self, ticket: Ticket, fate: Fate) -> bool:
        """Take a ticket out of the line; False when it is not there any more."""
        with self._lock:
            if ticket.fate is not Fate.WAITING:
                return False
            self._turn_away(ticket, fate)
            return True

    def _turn_away(self, ticket: Ticket, fate: Fate) -> None:
        self._line.remove(ticket)
        ticket.fate = fate
        ticket.wake()

    def _drop(self, ticket: Ticket) -> bool:
        if not self._is_expired(ticket.deadline):
            return False
        self._turn_away(ticket, Fate.EXPIRED)
        return True

    def _grant(self) -> None:
        while self._running < self._slots and self._line:
            ticket = self._line.pop()
            is_late = self._is_expired(ticket.deadline)
            ticket.fate = Fate.EXPIRED if is_late else Fate.GRANTED
            self._running += not is_late
            ticket.wake()

    def _is_expired(self, deadline: float | None) -> bool:
        return deadline is not None and deadline <= self._clock()
