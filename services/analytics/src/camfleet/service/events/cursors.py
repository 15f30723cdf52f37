"""How far each sink has come, what waits for it, and what it lost at the bound."""

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from camfleet.service.events.stored import Stored

KEEP_GONE_S = 24 * 3600.0


class Cursor(NamedTuple):
    """One sink: everything up to `position` is done with."""

    position: int
    queued: int = 0  # events after it that are meant for this sink
    dropped: int = 0  # events that went at the bound before they were delivered


class Cursors:
    """A cursor for each sink, by its name. Thread-safe."""

    def __init__(self, kept: dict[str, Cursor] | None = None, newest: int = 0) -> None:
        """`newest` is the position of the newest event there is."""
        self._lock, self._newest = threading.Lock(), newest
        self._cursors: dict[str, Cursor] = dict(kept or {})
        self._changed: set[str] = set()
        self._gone_since_s: dict[str, float] = {}

    def open(self, sink: str) -> None:
        """A sink goes on where it was; a new one begins with what is added from now on."""
        with self._lock:
            if sink not in self._cursors:
                self._cursors[sink] = Cursor(self._newest)
                self._changed.add(sink)

    def keep_only(self, sinks: Collection[str], now_s: float) -> None:
        """These are set up; others are forgotten `KEEP_GONE_S` later, so that one may come back."""
        with self._lock:
            for sink, since_s in tuple(self._gone_since_s.items()):
                if now_s - since_s > KEEP_GONE_S:
                    self._forget(sink)
            gone = set(self._cursors) - set(sinks)
            self._gone_since_s = {sink: self._gone_since_s.get(sink, now_s) for sink in gone}

    def _forget(self, sink: str) -> None:
        del self._gone_since_s[sink]
        self._cursors.pop(sink, None)
        self._changed.add(sink)

    def get(self, sink: str) -> Cursor:
        """Where a sink is; zeros for one that is not open."""
        with self._lock:
            return self._cursors.get(sink, Cursor(0))

    def advance(self, sink: str, events: Sequence[Stored]) -> None:
        """The sink is done with these, which follow each other."""
        with self._lock:
            before = self._cursors.get(sink)
            if before is None or not events:
                return
            done = sum(e.position > before.position and e.goes_to(sink) for e in events)
            position = max(before.position, events[-1].position)
            self._cursors[sink] = Cursor(position, before.queued - done, before.dropped)
            self._changed.add(sink)

    def note_added(self, events: Iterable[Stored]) -> None:
        """New events wait; told before anybody can read them, so that none is done with before."""
        events = list(events)
        with self._lock:
            self._newest = events[-1].position if events else self._newest
            for sink, cursor in self._cursors.items():
                added = sum(event.goes_to(sink) for event in events)
                self._cursors[sink] = cursor._replace(queued=cursor.queued + added)

    def note_dropped(self, events: Iterable[Stored], nothing_before: int = 0) -> None:
        """Events are gone, and all up to a position; who had not got them has lost them."""
        events = list(events)
        with self._lock:
            for sink, cursor in self._cursors.items():
                lost = sum(e.position > cursor.position and e.goes_to(sink) for e in events)
                position = max(cursor.position, nothing_before)
                after = Cursor(position, cursor.queued - lost, cursor.dropped + lost)
                self._cursors[sink] = after
                self._changed.update({sink} if after != cursor else ())

    @property
    def oldest(self) -> int | None:
        """The position of the sink that is furthest behind; None when there is none."""
        with self._lock:
            return min((one.position for one in self._cursors.values()), default=None)

    def take_changed(self) -> dict[str, Cursor | None]:
        """What is to be written; None for a sink that is forgotten."""
        with self._lock:
            changed = {sink: self._cursors.get(sink) for sink in self._changed}
            self._changed.clear()
        return changed

    def give_back(self, changed: Iterable[str]) -> None:
        """It could not be written."""
        with self._lock:
            self._changed.update(changed)
