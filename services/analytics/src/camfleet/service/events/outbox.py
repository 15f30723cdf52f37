"""The journal on disk: SQLite, written by one thread in groups, at most one fsync a second.

A commit survives the death of the process at once and the loss of power after the next fsync.
Whoever finds a journal that was not closed by a machine that has since booted therefore begins a
new epoch, because numbers given in the last second before may have been lost.
"""

import contextlib
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections import deque
from pathlib import Path

from camfleet.lines import LineCount
from camfleet.service.events.journal import (
    DEFAULT_BOUND,
    TAIL,
    Journal,
    Listener,
    MemoryJournal,
    Stored,
    Tail,
    numbered,
)
from camfleet.service.events.line_totals import totals_from, totals_row
from camfleet_contracts.events import Envelope

logger = logging.getLogger(__name__)

FSYNC_INTERVAL_S = 1.0
RETRY_S = 1.0
MAX_WAITING = 10_000  # events kept in memory while the disk refuses them
PRUNE_EVERY = 500
CHECKPOINT_BYTES = 8_000_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS events(position INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER,
    type TEXT, camera TEXT, text TEXT);
CREATE INDEX IF NOT EXISTS events_by_seq ON events(epoch, seq);
CREATE TABLE IF NOT EXISTS acknowledged(client TEXT PRIMARY KEY, position INTEGER);
CREATE TABLE IF NOT EXISTS totals(camera TEXT, line TEXT, counts TEXT, PRIMARY KEY(camera, line));
"""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def open_outbox(path: Path, listener: Listener) -> Journal:
    """The journal on disk, a new one where it is corrupt; in memory when the disk refuses."""
    try:
        return _open_or_replace(path, listener)
    except sqlite3.OperationalError as error:
        text = "outbox cannot be opened, events are kept in memory only file=%s reason=%s"
        logger.error(text, path, error)  # noqa: TRY400 - the reason says it all
        return MemoryJournal(listener)


def _open_or_replace(path: Path, listener: Listener) -> "Outbox":
    try:
        return Outbox(path, listener)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = f"{path.name}.corrupt-{int(time.time())}"
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(path.with_name(aside + ending))
        text = "outbox is corrupt, beginning a new one file=%s kept=%s reason=%s"
        logger.error(text, path, aside, error)  # noqa: TRY400 - the reason says it all
    return Outbox(path, listener)


class Outbox:
    """A Journal that outlives the process."""

    def __init__(self, path: Path, listener: Listener, bound: int = DEFAULT_BOUND) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.dropped = 0
        self._path, self._listener, self._bound = path, listener, bound
        self._lock = threading.Lock()  # guards everything below
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._tail = Tail(TAIL)
        self._waiting: deque[tuple[Stored, Envelope]] = deque()
        try:
            self._prepare()
        except sqlite3.Error:
            self._database.close()
            raise
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def _prepare(self) -> None:
        self._database.executescript(
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;{_SCHEMA}"
        )
        self._database.execute("PRAGMA wal_autocheckpoint=0")
        self._position, self._seq, self.epoch = self._resume()
        self._stored = self._count()
        newest = self._read_disk(self._position - 1, 1)
        self.newest_event: Stored | None = newest[-1] if newest else None

    def append(self, message: Envelope) -> None:
        """Give the event epoch and seq and leave it to the writing thread."""
        with self._lock:
            self._position += 1
            self._seq += 1
            event = numbered(message, self._position, self._seq, self.epoch)
            self._tail.add(event)
            self.newest_event = event
            self._waiting.append((event, message))
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                self.dropped += 1
        self._wake.set()

    def read(self, after: int, limit: int) -> list[Stored]:
        """The next events after a position; from disk where memory does not reach back."""
        with self._lock:
            if after >= self._position:
                return []
            recent = self._tail.read(after, limit)
            if recent is not None:
                return recent
            old = self._read_disk(after, limit)
            last = old[-1].position if old else after
            return old + (self._tail.read(max(last, self._tail.oldest), limit - len(old)) or [])

    def position_of(self, seq: int, epoch: str | None) -> int:
        """The position of an event; for one that was dropped, the one before the oldest."""
        wanted = epoch or self.epoch
        with self._lock:
            found = self._tail.find(seq, wanted)
            row = self._database.execute(
                "SELECT max(position) FROM events WHERE epoch=? AND seq<=?", (wanted, seq)
            ).fetchone()
            return found or row[0] or (self._before(wanted) if seq == 0 else 0)

    @property
    def newest(self) -> int:
        """The position of the newest event."""
        return self._position

    def acknowledge(self, client: str, seq: int, sent: int) -> None:
        """Kept on disk, so that the client may go on after a restart of either side."""
        position = min(self.position_of(seq, None), sent)
        with self._lock:
            self._database.execute(
                "INSERT INTO acknowledged VALUES(?, ?) ON CONFLICT(client) DO UPDATE"
                " SET position=max(position, excluded.position)",
                (client, position),
            )

    def acknowledged(self, client: str) -> int | None:
        """The position a client has acknowledged; None when it never did."""
        with self._lock:
            row = self._database.execute(
                "SELECT position FROM acknowledged WHERE client=?", (client,)
            ).fetchone()
        return None if row is None else int(row[0])

    def totals(self, camera: str) -> dict[str, LineCount]:
        """The newest line totals of a camera, by line."""
        with self._lock:
            rows = self._database.execute(
                "SELECT line, counts FROM totals WHERE camera=?", (camera,)
            ).fetchall()
        return totals_from(rows)

    def close(self) -> None:
        """Write what waits, make it safe and note that nothing was lost."""
        self._closing.set()
        self._wake.set()
        self._thread.join(3)
        with self._lock:
            self._write_fact("closed", "yes")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()

    def _resume(self) -> tuple[int, int, str]:
        """Position, seq and epoch to go on from."""
        facts = dict(self._database.execute("SELECT name, value FROM facts").fetchall())
        boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else uuid.uuid4().hex
        is_whole = facts.get("closed") == "yes" or facts.get("boot_id") == boot_id
        epoch = str(facts["epoch"]) if "epoch" in facts and is_whole else uuid.uuid4().hex
        for name, value in (("epoch", epoch), ("boot_id", boot_id), ("closed", "no")):
            self._write_fact(name, value)
        position, seq = self._database.execute(
            "SELECT (SELECT max(position) FROM events),"
            " (SELECT max(seq) FROM events WHERE epoch=?)",
            (epoch,),
        ).fetchone()
        return position or 0, seq or 0, epoch

    def _run(self) -> None:
        synced_s, is_dirty = time.monotonic(), False
        while not (self._closing.is_set() and not self._waiting):
            self._wake.wait(FSYNC_INTERVAL_S)
            self._wake.clear()
            if self._waiting:
                is_dirty = self._write_waiting() or is_dirty
                self._listener()
            if is_dirty and time.monotonic() - synced_s >= FSYNC_INTERVAL_S:
                self._make_safe()
                synced_s, is_dirty = time.monotonic(), False

    def _write_waiting(self) -> bool:
        with self._lock:
            group = list(self._waiting)
            try:
                self._write(group)
            except sqlite3.Error as error:
                logger.warning("outbox cannot write, keeping events in memory error=%s", error)
                wait_s = 0.0 if self._closing.is_set() else RETRY_S
            else:
                self._waiting.clear()
                self._prune()
                return True
        if self._closing.is_set():
            self._waiting.clear()
        self._closing.wait(wait_s)
        return False

    def _write(self, group: list[tuple[Stored, Envelope]]) -> None:
        totals = [row for _, message in group if (row := totals_row(message))]
        with self._database:
            self._database.execute("BEGIN")
            kept = self._database.executemany(
                "INSERT OR IGNORE INTO events(position, seq, epoch, type, camera, text)"
                " VALUES(?,?,?,?,?,?)",
                [event for event, _ in group],
            ).rowcount
            self._database.executemany("INSERT OR REPLACE INTO totals VALUES(?,?,?)", totals)
        self._stored += kept

    def _prune(self) -> None:
        if self._stored <= self._bound + PRUNE_EVERY:
            return
        newest_to_drop = self._position - self._bound
        try:
            gone = self._database.execute(
                "DELETE FROM events WHERE position<=?", (newest_to_drop,)
            ).rowcount
        except sqlite3.Error as error:
            logger.warning("outbox cannot drop the oldest events yet error=%s", error)
            return
        self._stored -= gone
        self.dropped += gone

    def _make_safe(self) -> None:
        log = self._path.with_name(self._path.name + "-wal")
        try:
            if log.stat().st_size > CHECKPOINT_BYTES:
                with self._lock:
                    self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            descriptor = os.open(log, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except (OSError, sqlite3.Error) as error:
            logger.warning("outbox not safe on disk yet error=%s", error)

    def _read_disk(self, after: int, limit: int) -> list[Stored]:
        rows = self._database.execute(
            "SELECT position, seq, epoch, type, camera, text FROM events"
            " WHERE position>? ORDER BY position LIMIT ?",
            (after, limit),
        ).fetchall()
        return [Stored(*row) for row in rows]

    def _before(self, epoch: str) -> int:
        row = self._database.execute(
            "SELECT min(position) FROM events WHERE epoch=?", (epoch,)
        ).fetchone()
        return int(row[0]) - 1 if row[0] else 0

    def _count(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM events").fetchone()[0])

    def _write_fact(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES(?, ?)", (name, value))
