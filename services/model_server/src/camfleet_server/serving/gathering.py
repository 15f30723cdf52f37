"""A batch that is being put together by the request that has a turn."""

import threading
from collections.abc import Callable

from camfleet_server.serving.batch import Offer
from camfleet_server.serving.waiting_line import Fate, Ticket


class Gathering:
    """Not safe for threads but for `wait`; the scheduler holds its lock."""

    def __init__(
        self, leader: Offer, max_rows: int, delay_s: float, clock: Callable[[], float]
    ) -> None:
        self.tickets: list[Ticket] = []
        self._key = leader.key
        self._room = max_rows - leader.rows
        self._clock = clock
        self._ends_at = clock() + delay_s
        self._changed = threading.Event()
        self._hurry_for(leader.deadline)

    @property
    def is_full(self) -> bool:
        """Tell whether there is room for no row more."""
        return self._room <= 0

    def fits(self, offer: Offer) -> bool:
        """Tell whether a request can be inferred with the others."""
        return offer.rows <= self._room and offer.key == self._key

    def add(self, ticket: Ticket) -> None:
        """Carry a request that fits."""
        assert ticket.offer is not None  # noqa: S101 - only what has an offer fits
        ticket.fate = Fate.CARRIED
        self.tickets.append(ticket)
        self._room -= ticket.offer.rows
        self._hurry_for(ticket.deadline)
        self._changed.set()

    def wait(self) -> None:
        """Wait until the batch is full, or the time is up."""
        while not self.is_full and (left_s := self._ends_at - self._clock()) > 0:
            self._changed.wait(left_s)
            self._changed.clear()

    def _hurry_for(self, deadline: float | None) -> None:
        """Wait no longer than half of what a request has left: the rest is for inferring it."""
        if deadline is not None:
            now = self._clock()
            self._ends_at = min(self._ends_at, now + (deadline - now) / 2)
