"""What the service needs of a journal of events, and the one that lives in memory."""

import threading
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from camfleet.lines import LineCount
from camfleet.service.events.acknowledgements import Acknowledgements
from camfleet.service.events.cursors import Cursors
from camfleet.service.events.line_totals import LineTotals
from camfleet.service.events.stored import Sinks, Stored, Tail, numbered
from camfleet.service.events.tallies import Tallies, ZoneTotals
from camfleet_contracts.events import Envelope

DEFAULT_BOUND = 100_000  # events; the oldest go first
LARGEST_SEQ = 2**63 - 1  # what SQLite takes


class Journal(Protocol):
    """Numbers events without gaps per epoch and keeps them up to a bound. Thread-safe."""

    epoch: str
    dropped: int
    cursors: Cursors

    def append(self, message: Envelope, sinks: Sinks = None) -> None:
        """Give the event epoch and seq, keep it for these sinks (None: all), tell the listener."""

    def read(self, after: int, limit: int) -> list[Stored]:
        """The next events after a position."""

    def position_of(self, seq: int, epoch: str | None) -> int:
        """The position of an event; 0 for seq 0, the newest for one that is not there yet."""

    @property
    def newest(self) -> int:
        """The position of the newest event."""

    @property
    def newest_event(self) -> Stored | None:
        """The newest event; None before the first one."""

    def acknowledge(self, client: str, seq: int, epoch: str | None, sent: int) -> None:
        """A client has dealt with everything up to `seq` of an epoch, of what it was sent."""

    def acknowledged(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""

    def totals(self, camera: str) -> dict[str, LineCount]:
        """The newest line totals of a camera, by line."""

    def zone_totals(self, camera: str, zone: str) -> ZoneTotals:
        """What one zone saw in all."""

    def intervals(self, camera: str, interval_s: int) -> list[dict[str, Any]]:
        """What a camera counted in each interval of the last day, oldest first."""

    def close(self) -> None:
        """Write what waits."""


Listener = Callable[[], None]


class MemoryJournal:
    """Keeps events while the process lives; every start begins a new epoch."""

    def __init__(self, listener: Listener, bound: int = DEFAULT_BOUND) -> None:
        self.epoch = uuid.uuid4().hex
        self.dropped = 0
        self.cursors = Cursors()
        self._listener, self._lock = listener, threading.Lock()
        self._tail, self._newest = Tail(bound), 0
        self.newest_event: Stored | None = None
        self._totals, self._tallies = LineTotals(), Tallies()
        self._acknowledged = Acknowledgements()

    def append(self, message: Envelope, sinks: Sinks = None) -> None:
        """Give the event epoch and seq, keep it, and tell the listener."""
        with self._lock:
            [event] = numbered([(message, sinks)], self._newest, self._newest, self.epoch)
            gone = self._tail.add(event)
            self._newest, self.newest_event = event.position, event
            self._totals.note(message)
            self._tallies.note(message)
            self.cursors.note_added([event])
            if gone is not None:
                self.dropped += 1
                self.cursors.note_dropped([gone], gone.position)
        self._listener()

    def read(self, after: int, limit: int) -> list[Stored]:
        """The next events after a position, or after the oldest that is left."""
        with self._lock:
            return self._tail.read(max(after, self._tail.oldest), limit) or []

    def position_of(self, seq: int, epoch: str | None) -> int:
        """Positions are the seqs here; those of another epoch are gone."""
        with self._lock:
            return min(seq, self._newest) if epoch in {None, self.epoch} else 0

    @property
    def newest(self) -> int:
        """The position of the newest event."""
        return self._newest

    def acknowledge(self, client: str, seq: int, epoch: str | None, sent: int) -> None:
        """Remembered for as long as the process lives."""
        self._acknowledged.note(client, min(self.position_of(seq, epoch), sent))

    def acknowledged(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""
        return self._acknowledged.find(client)

    def totals(self, camera: str) -> dict[str, LineCount]:
        """Totals since the start: a new epoch begins at zero."""
        with self._lock:
            return self._totals.of(camera)

    def zone_totals(self, camera: str, zone: str) -> ZoneTotals:
        """What one zone saw since the start."""
        with self._lock:
            return self._tallies.zone(camera, zone)

    def intervals(self, camera: str, interval_s: int) -> list[dict[str, Any]]:
        """What a camera counted in each interval since the start."""
        with self._lock:
            return self._tallies.intervals(camera, interval_s)

    def close(self) -> None:
        """Nothing waits."""
