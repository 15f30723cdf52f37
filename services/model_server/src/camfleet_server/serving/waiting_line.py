"""The requests that wait for a turn: by priority, within one by turns between streams.

A stream is what shares are fair between: a `stream_id`, else the connection a request came over,
else all requests that have neither. Not safe for threads; the scheduler holds its lock.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from enum import Enum
from itertools import zip_longest

from camfleet_server.serving.batch import Offer
from camfleet_server.types import InferRequest

DEFAULT_PRIORITY = 1 << 64  # after every priority a client can ask for


class Fate(Enum):
    """What becomes of a waiting request."""

    WAITING = 0
    GRANTED = 1  # it has a turn
    CARRIED = 2  # another request infers it with its own
    SUPERSEDED = 3
    EXPIRED = 4
    ABANDONED = 5


class Ticket:
    """One waiting request; its thread sleeps until the fate is decided."""

    __slots__ = ("_gate", "deadline", "fate", "lane", "offer", "priority", "stream_id")

    def __init__(self, request: InferRequest, offer: Offer | None) -> None:
        self.priority = request.priority or DEFAULT_PRIORITY
        self.deadline = request.deadline
        self.stream_id = request.stream_id
        self.lane = request.stream_id or (request.peer() if request.peer else "")
        self.offer = offer
        self.fate = Fate.WAITING
        # A bare lock costs a hundredth of what a threading.Event does.
        self._gate = threading.Lock()
        self._gate.acquire()

    def sleep(self, timeout_s: float | None) -> bool:
        """Wait until `wake` was called; False when the time was up before."""
        if timeout_s is None:
            return self._gate.acquire()
        return self._gate.acquire(timeout=min(max(0.0, timeout_s), threading.TIMEOUT_MAX))

    def wake(self) -> None:
        """Let the request's thread go on; to be called once."""
        self._gate.release()


class WaitingLine:
    """Tickets in the order in which they get their turns."""

    def __init__(self) -> None:
        self._lanes: dict[int, OrderedDict[str, dict[Ticket, None]]] = {}  # by priority
        self._streams: dict[str, Ticket] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Ticket]:
        """Go through a copy of the line."""
        for priority in sorted(self._lanes):
            for rank in zip_longest(*map(tuple, self._lanes[priority].values())):
                yield from (ticket for ticket in rank if ticket is not None)

    def find(self, stream_id: str) -> Ticket | None:
        """Return the ticket of a stream id: there is one at most."""
        return self._streams.get(stream_id)

    def add(self, ticket: Ticket) -> None:
        """Put a ticket behind the others of its lane."""
        lanes = self._lanes.get(ticket.priority)
        if lanes is None:
            lanes = self._lanes[ticket.priority] = OrderedDict()
        lane = lanes.get(ticket.lane)
        if lane is None:
            lane = lanes[ticket.lane] = {}
        lane[ticket] = None
        self._count += 1
        if ticket.stream_id:
            self._streams[ticket.stream_id] = ticket

    def remove(self, ticket: Ticket) -> None:
        """Take out a ticket that is in the line."""
        lanes = self._lanes[ticket.priority]
        lane = lanes[ticket.lane]
        del lane[ticket]
        if not lane:
            del lanes[ticket.lane]
        if not lanes:
            del self._lanes[ticket.priority]
        self._count -= 1
        if ticket.stream_id:
            del self._streams[ticket.stream_id]

    def pop(self) -> Ticket:
        """Take out whose turn it is; its lane goes behind the others of the same priority."""
        lanes = self._lanes[min(self._lanes)]
        ticket = next(iter(next(iter(lanes.values()))))
        self.remove(ticket)
        if ticket.lane in lanes:
            lanes.move_to_end(ticket.lane)
        return ticket
