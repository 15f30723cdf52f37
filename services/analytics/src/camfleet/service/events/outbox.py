"""The journal on disk: SQLite, written by one thread in groups, at most one fsync a second.

An event gets its numbers when it is committed, and nobody sees it before: a process that is killed
can never have shown numbers that the next one gives again. While the disk refuses, events are shown
from memory, under a new epoch that the disk does not know, for the same reason.

A commit survives the death of the process at once and the loss of power after the next fsync.
Whoever finds a journal that was not closed by a machine that has since booted therefore begins a
new epoch, because numbers given in the last second before may have been lost.
"""

import logging
import sqlite3
import threading
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any

from camfleet.lines import LineCount
from camfleet.service.events.acknowledgements import Acknowledgements
from camfleet.service.events.cursors import Cursors
from camfleet.service.events.journal import DEFAULT_BOUND, Listener
from camfleet.service.events.outbox_database import Group, OutboxDatabase
from camfleet.service.events.outbox_lock import OutboxLock
from camfleet.service.events.stored import Sinks, Stored, Tail, numbered
from camfleet.service.events.sums import LiveSums, PendingSums, messages_of
from camfleet.service.events.tallies import ZoneTotals
from camfleet_contracts.events import Envelope

logger = logging.getLogger(__name__)

FSYNC_INTERVAL_S = 1.0
RETRY_S = 1.0
TAIL = 2000  # newest events that are answered from memory
MAX_WAITING = 10_000  # events kept in memory while the disk refuses them
PRUNE_EVERY = 500

Incoming = tuple[Envelope, Sinks]


class Outbox:
    """A Journal that outlives the process. One process has it open at a time."""

    def __init__(self, path: Path, listener: Listener, bound: int = DEFAULT_BOUND) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.dropped = 0
        self._listener, self._bound = listener, bound
        self._lock = threading.Lock()  # guards what is in memory; never held while the disk works
        self._tail = Tail(min(TAIL, bound))
        self._incoming: deque[Incoming] = deque()  # without numbers, seen by nobody
        self._unwritten: deque[tuple[Stored, Envelope]] = deque()  # seen, refused by the disk
        self._is_refused, self._retry_at_s = False, 0.0
        self._held = OutboxLock(path)
        try:
            self._database = OutboxDatabase(path)
            self._resume()
        except sqlite3.Error:
            self._held.release()
            raise
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def _resume(self) -> None:
        found = self._database.resume()
        self.epoch, self._position, self._seq = found.epoch, found.position, found.seq
        self._oldest, self.newest_event = found.oldest, found.newest
        self._sums = LiveSums(self._database.totals(), self._database.tallies())
        self._not_summed = PendingSums()
        messages = messages_of(self._database.not_summed())
        self._not_summed.add(found.position, messages)
        for message in messages:
            self._sums.note(message)
        self._acknowledged = Acknowledgements(self._database.acknowledged())
        self.cursors = Cursors(self._database.cursors(found.position), found.position)
        try:
            self._database.begin(self.epoch)
        except sqlite3.OperationalError as error:
            self._note_refusal(error)

    def append(self, message: Envelope, sinks: Sinks = None) -> None:
        """Leave the event to the writing thread; never waits for the disk."""
        with self._lock:
            self._sums.note(message)
            self._incoming.append((message, sinks))
            if len(self._incoming) > MAX_WAITING:
                self._incoming.popleft()
                self.dropped += 1
        self._wake.set()

    def read(self, after: int, limit: int) -> list[Stored]:
        """The next events after a position; from disk where memory does not reach back."""
        with self._lock:
            if after >= self._position:
                return []
            recent = self._tail.read(after, limit)
            unwritten = [event for event, _ in self._unwritten]
        if recent is not None:
            return recent
        found = self._database.read(after, limit)
        last = found[-1].position if found else after
        found += [event for event in unwritten if event.position > last]
        if found:
            return found[:limit]
        with self._lock:
            return self._tail.read(max(after, self._tail.oldest), limit) or []

    def position_of(self, seq: int, epoch: str | None) -> int:
        """The position of an event; for one that was dropped, the one before the oldest."""
        with self._lock:
            wanted = epoch or self.epoch
            found = self._tail.find(seq, wanted)
            unwritten = [event for event, _ in self._unwritten if event.epoch == wanted]
        if found is not None:
            return found
        if reached := [event.position for event in unwritten if event.seq <= seq]:
            return reached[-1]
        if unwritten and not self._database.before(wanted):
            return unwritten[0].position - 1
        is_beginning = seq == 0
        return self._database.position_of(seq, wanted) or (
            self._database.before(wanted) if is_beginning else 0
        )

    @property
    def newest(self) -> int:
        """The position of the newest event."""
        return self._position

    def acknowledge(self, client: str, seq: int, epoch: str | None, sent: int) -> None:
        """Written within a second, so that the client may go on after a restart of either side."""
        self._acknowledged.note(client, min(self.position_of(seq, epoch), sent))

    def acknowledged(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""
        return self._acknowledged.find(client)

    def totals(self, camera: str) -> dict[str, LineCount]:
        """The newest line totals of a camera, by line."""
        with self._lock:
            return self._sums.totals(camera)

    def zone_totals(self, camera: str, zone: str) -> ZoneTotals:
        """What one zone saw since the outbox began."""
        with self._lock:
            return self._sums.zone(camera, zone)

    def intervals(self, camera: str, interval_s: int) -> list[dict[str, Any]]:
        """What a camera counted in each interval of the last day, oldest first."""
        with self._lock:
            return self._sums.intervals(camera, interval_s)

    def close(self) -> None:
        """Write what waits, make it safe and note that nothing was lost."""
        self._closing.set()
        self._wake.set()
        self._thread.join(3)
        self._database.close()
        self._held.release()

    def _run(self) -> None:
        synced_s, is_dirty = time.monotonic(), False
        while not self._closing.is_set():
            self._wake.wait(FSYNC_INTERVAL_S)
            self._wake.clear()
            is_dirty = self._keep_incoming() or is_dirty
            if is_dirty and time.monotonic() - synced_s >= FSYNC_INTERVAL_S:
                self._make_safe()
                synced_s, is_dirty = time.monotonic(), False
        self._retry_at_s = 0.0
        self._keep_incoming()
        if not self._is_refused:
            self._write([], [])  # the sums of what came last

    def _keep_incoming(self) -> bool:
        """Number, commit and show what came in; True when something was written."""
        with self._lock:
            incoming = list(self._incoming)
            self._incoming.clear()
        if not self._is_refused:
            events = numbered(incoming, self._position, self._seq, self.epoch)
            is_written = self._write(events, [message for message, _ in incoming])
            if not self._is_refused:
                self._show(events)
                self._prune()
                return is_written
        self._show_from_memory(incoming)
        return time.monotonic() >= self._retry_at_s and self._write_unwritten()

    def _write(self, events: list[Stored], messages: list[Envelope]) -> bool:
        """Commit what there is; False when there is nothing, or when the disk refuses."""
        cursors = self.cursors.take_changed()
        acknowledged = self._acknowledged.take_changed()
        sums = self._not_summed.due(is_last=self._closing.is_set())
        if not (events or cursors or acknowledged or sums):
            return False
        try:
            self._database.commit(Group(self.epoch, events, sums, cursors, acknowledged))
        except sqlite3.Error as error:
            self.cursors.give_back(cursors)
            self._acknowledged.give_back(acknowledged)
            self._note_refusal(error)
            return False
        if sums:
            self._not_summed = PendingSums()
        if events:
            self._not_summed.add(events[-1].position, messages)
        return True

    def _note_refusal(self, error: sqlite3.Error) -> None:
        self._retry_at_s = time.monotonic() + RETRY_S
        if not self._is_refused:  # told once: a disk may be full for days
            logger.warning("outbox cannot write, keeping events in memory error=%s", error)
            self._is_refused = True
            with self._lock:
                self.epoch, self._seq = uuid.uuid4().hex, 0

    def _show(self, events: list[Stored]) -> None:
        """From here on these can be read."""
        if not events:
            return
        self.cursors.note_added(events)
        with self._lock:
            for event in events:
                self._tail.add(event)
            self.newest_event = events[-1]
            self._position, self._seq = events[-1].position, events[-1].seq
        self._listener()

    def _show_from_memory(self, incoming: list[Incoming]) -> None:
        events = numbered(incoming, self._position, self._seq, self.epoch)
        lost = []
        with self._lock:
            self._unwritten.extend(zip(events, (one for one, _ in incoming), strict=True))
            while len(self._unwritten) > MAX_WAITING:
                lost.append(self._unwritten.popleft()[0])
        self._show(events)
        self.dropped += len(lost)
        self.cursors.note_dropped(lost)

    def _write_unwritten(self) -> bool:
        group = list(self._unwritten)
        events = [event for event, _ in group]
        if not self._write(events, [message for _, message in group]):
            return False
        logger.info("outbox can write again events=%s", len(events))
        self._is_refused = False
        with self._lock:
            self._unwritten.clear()
        return True

    def _prune(self) -> None:
        if self._position - self._oldest <= self._bound + PRUNE_EVERY:
            return
        newest_to_drop = self._position - self._bound
        try:
            oldest = self.cursors.oldest
            behind = [] if oldest is None else self._database.read_between(oldest, newest_to_drop)
            gone = self._database.delete_up_to(newest_to_drop)
        except sqlite3.Error as error:
            logger.warning("outbox cannot drop the oldest events yet error=%s", error)
            return
        self.cursors.note_dropped(behind, newest_to_drop)
        self._oldest = newest_to_drop
        self.dropped += gone

    def _make_safe(self) -> None:
        try:
            self._database.make_safe()
        except (OSError, sqlite3.Error) as error:
            logger.warning("outbox not safe on disk yet error=%s", error)
