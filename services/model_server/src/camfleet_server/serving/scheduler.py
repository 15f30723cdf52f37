"""Admission to one loaded version: a bounded queue in front of as many turns as it has slots.

The caller's thread waits for its turn and then infers itself; nothing is handed between threads.
Waiting requests go by priority (1 first), then by arrival. A request whose deadline passed never
gets a turn; a newer request of the same stream takes the place of one that still waits.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from camfleet_server.errors import DeadlineExceeded, QueueFull, ServerError, Superseded
from camfleet_server.types import InferRequest

DEFAULT_PRIORITY = 1 << 20  # after every priority a client can ask for


class SchedulerClosed(ServerError):
    """The version is being retired and takes no new request; look the model up again."""


class _Fate(Enum):
    WAITING = 0
    GRANTED = 1
    SUPERSEDED = 2
    GONE = 3


class _Ticket:
    """One waiting request."""

    __slots__ = ("arrived", "deadline", "fate", "priority", "stream_id")

    def __init__(self, request: InferRequest) -> None:
        self.priority = request.priority or DEFAULT_PRIORITY
        self.deadline = request.deadline
        self.stream_id = request.stream_id
        self.fate = _Fate.WAITING
        self.arrived = threading.Event()  # set when the fate is decided


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
        self._free = slots
        self._slots = slots
        self._queue_limit = queue_limit
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, int, _Ticket]] = []  # heap; tickets that left stay as GONE
        self._waiting_count = 0
        self._streams: dict[str, _Ticket] = {}
        self._order = itertools.count()
        self._on_drained: Callable[[], None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for a turn."""
        return self._waiting_count

    @property
    def running(self) -> int:
        """How many requests have a turn."""
        return self._slots - self._free

    @contextmanager
    def turn(self, request: InferRequest) -> Iterator[None]:
        """Wait for a turn and hold it for the block.

        Raises:
            SchedulerClosed, QueueFull, Superseded, DeadlineExceeded.
        """
        self._take(request)
        try:
            yield
        finally:
            self._give_back()

    def close(self, on_drained: Callable[[], None]) -> None:
        """Admit nobody any more; `on_drained` is called once, after the last admitted one."""
        with self._lock:
            if self._on_drained is not None:
                return
            self._on_drained = on_drained
            drained = self._is_drained()
        if drained:
            on_drained()

    def _take(self, request: InferRequest) -> None:
        with self._lock:
            if self._on_drained is not None:
                raise SchedulerClosed
            if self._is_expired(request.deadline):
                raise DeadlineExceeded(self._model)
            if self._free and not self._waiting_count:
                self._free -= 1
                return
            ticket = self._enqueue(request)
        self._wait(ticket)

    def _enqueue(self, request: InferRequest) -> _Ticket:
        older = self._streams.get(request.stream_id) if request.stream_id else None
        if older:
            self._decide(older, _Fate.SUPERSEDED)
        if self._waiting_count >= self._queue_limit:
            raise QueueFull(self._model, self._queue_limit)
        ticket = _Ticket(request)
        heapq.heappush(self._waiting, (ticket.priority, next(self._order), ticket))
        self._waiting_count += 1
        if ticket.stream_id:
            self._streams[ticket.stream_id] = ticket
        return ticket

    def _wait(self, ticket: _Ticket) -> None:
        timeout_s = None if ticket.deadline is None else ticket.deadline - self._clock()
        if not ticket.arrived.wait(timeout_s):
            with self._lock:
                if ticket.fate is _Fate.WAITING:
                    self._decide(ticket, _Fate.GONE)
        if ticket.fate is _Fate.SUPERSEDED:
            raise Superseded(self._model, ticket.stream_id or "")
        if ticket.fate is _Fate.GRANTED and self._is_expired(ticket.deadline):
            self._give_back()
            ticket.fate = _Fate.GONE
        if ticket.fate is _Fate.GONE:
            raise DeadlineExceeded(self._model)

    def _give_back(self) -> None:
        with self._lock:
            successor = self._next_ticket()
            if successor is None:
                self._free += 1
            else:
                self._decide(successor, _Fate.GRANTED)
            drained = self._on_drained if self._is_drained() else None
        if drained:
            drained()

    def _next_ticket(self) -> _Ticket | None:
        while self._waiting:
            ticket = heapq.heappop(self._waiting)[2]
            if ticket.fate is not _Fate.WAITING:
                continue
            if not self._is_expired(ticket.deadline):
                return ticket
            self._decide(ticket, _Fate.GONE)
        return None

    def _decide(self, ticket: _Ticket, fate: _Fate) -> None:
        ticket.fate = fate
        self._waiting_count -= 1
        if ticket.stream_id and self._streams.get(ticket.stream_id) is ticket:
            del self._streams[ticket.stream_id]
        ticket.arrived.set()

    def _is_expired(self, deadline: float | None) -> bool:
        return deadline is not None and deadline <= self._clock()

    def _is_drained(self) -> bool:
        return self._on_drained is not None and self._free == self._slots
