"""What the service needs of a journal of events, and the one that lives in memory."""

import threading
import uuid
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from camfleet.lines import LineCount
from camfleet.service.events.line_totals import totals_from, totals_row
from camfleet_contracts.events import Envelope

DEFAULT_BOUND = 100_000  # events; the oldest go first
LARGEST_SEQ = 2**63 - 1  # what SQLite takes
TAIL = 2000  # newest events that are answered from memory


class Stored(NamedTuple):
    """One event as clients get it; `position` orders all epochs."""

    position: int
    seq: int
    epoch: str
    type: str
    camera: str | None
    text: str


class Journal(Protocol):
    """Numbers events without gaps per epoch and keeps them up to a bound. Thread-safe."""

    epoch: str
    dropped: int

    def append(self, message: Envelope) -> None:
        """Give the event epoch and seq, keep it, and tell the listener."""

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

    def acknowledge(self, client: str, seq: int, sent: int) -> None:
        """A client has dealt with everything of this epoch up to `seq`, of what it was sent."""

    def acknowledged(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""

    def totals(self, camera: str) -> dict[str, LineCount]:
        """The newest line totals of a camera, by line."""

    def close(self) -> None:
        """Write what waits."""


Listener = Callable[[], None]


class Tail:
    """The newest events in memory; positions in it have no gaps. Not thread-safe."""

    def __init__(self, size: int) -> None:
        self._events: deque[Stored] = deque(maxlen=size)

    def add(self, event: Stored) -> bool:
        """Keep an event; True when an older one had to go for it."""
        is_full = len(self._events) == self._events.maxlen
        self._events.append(event)
        return is_full

    def read(self, after: int, limit: int) -> list[Stored] | None:
        """The events after a position, None when they do not reach back so far."""
        if not self._events:
            return None
        first = self._events[0].position
        if after + 1 < first:
            return None
        begin = after + 1 - first
        return [self._events[i] for i in range(begin, min(begin + limit, len(self._events)))]

    def find(self, seq: int, epoch: str) -> int | None:
        """The position of an event."""
        found = (e.position for e in reversed(self._events) if e.seq == seq and e.epoch == epoch)
        return next(found, None)

    @property
    def oldest(self) -> int:
        """The position before the oldest event."""
        return self._events[0].position - 1 if self._events else 0


class MemoryJournal:
    """Keeps events while the process lives; every start begins a new epoch."""

    def __init__(self, listener: Listener, bound: int = DEFAULT_BOUND) -> None:
        self.epoch = uuid.uuid4().hex
        self.dropped = 0
        self._listener, self._lock = listener, threading.Lock()
        self._tail, self._newest = Tail(bound), 0
        self.newest_event: Stored | None = None
        self._totals: dict[str, dict[str, str]] = {}  # camera, line, counts as JSON
        self._acknowledged: dict[str, int] = {}

    def append(self, message: Envelope) -> None:
        """Give the event epoch and seq, keep it, and tell the listener."""
        with self._lock:
            self._newest += 1
            event = numbered(message, self._newest, self._newest, self.epoch)
            self.dropped += self._tail.add(event)
            self.newest_event = event
            self._note_totals(message)
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

    def acknowledge(self, client: str, seq: int, sent: int) -> None:
        """Remembered for as long as the process lives."""
        with self._lock:
            self._acknowledged[client] = min(seq, sent, self._newest)

    def acknowledged(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""
        return self._acknowledged.get(client)

    def totals(self, camera: str) -> dict[str, LineCount]:
        """Totals since the start: a new epoch begins at zero."""
        with self._lock:
            return totals_from(self._totals.get(camera, {}).items())

    def _note_totals(self, message: Envelope) -> None:
        if row := totals_row(message):
            camera, line, counts = row
            self._totals.setdefault(camera, {})[line] = counts

    def close(self) -> None:
        """Nothing waits."""


def numbered(message: Envelope, position: int, seq: int, epoch: str) -> Stored:
    """The event with its numbers, as text."""
    text = message.model_copy(update={"seq": seq, "epoch": epoch}).to_json()
    return Stored(position, seq, epoch, message.type, message.camera, text)
