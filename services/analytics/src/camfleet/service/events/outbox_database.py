"""The SQLite file of the outbox: its tables and what is asked of them."""

import contextlib
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from camfleet.service.events.cursors import Cursor
from camfleet.service.events.journal import LARGEST_SEQ
from camfleet.service.events.line_totals import TotalsRow
from camfleet.service.events.outbox_schema import LARGEST_LOG_BYTES, prepare
from camfleet.service.events.stored import Stored
from camfleet.service.events.sums import Sums
from camfleet.service.events.tallies import IN_ALL, Tally
from camfleet.service.interval_counts import KEPT_MINUTES

CHECKPOINT_COMMITS = 500
BUSY_S = 2.0
_ADD_TALLY = """
INSERT INTO tallies(camera, minute, kind, place, figure, value) VALUES(?,?,?,?,?,?)
ON CONFLICT DO UPDATE SET value = CASE WHEN figure IN ('peak', 'error', 'longest_s')
    THEN max(value, excluded.value) ELSE value + excluded.value END
"""
_COLUMNS = "position, seq, epoch, type, camera, text, sinks"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Resumed(NamedTuple):
    """Where an earlier process stopped."""

    epoch: str
    position: int
    seq: int
    oldest: int  # the position before the oldest event
    newest: Stored | None


@dataclass(frozen=True, slots=True)
class Group:
    """What one commit writes; None stands for what is to be deleted."""

    epoch: str
    events: list[Stored] = field(default_factory=list)
    sums: Sums | None = None
    cursors: dict[str, Cursor | None] = field(default_factory=dict)
    acknowledged: dict[str, int | None] = field(default_factory=dict)


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _prepared(path, "NORMAL")
    except sqlite3.OperationalError:  # a full disk has no room for what connections share
        return _prepared(path, "EXCLUSIVE")


def _prepared(path: Path, locking: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, BUSY_S, check_same_thread=False, isolation_level=None)
    try:
        database.execute(f"PRAGMA locking_mode={locking}")
        prepare(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


class OutboxDatabase:
    """One connection, used by one thread at a time. Every method may raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._database = _open(path)
        self._epoch = ""  # that the disk knows
        self._begun: set[str] = set()  # epochs with events
        self._unchecked = 0  # commits since a checkpoint
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else uuid.uuid4().hex

    def resume(self) -> Resumed:
        """Go on with the epoch, or begin one where numbers may have been lost with the power."""
        facts = dict(self._rows("SELECT name, value FROM facts"))
        is_whole = facts.get("closed") == "yes" or facts.get("boot_id") == self._boot_id
        epoch = str(facts["epoch"]) if "epoch" in facts and is_whole else uuid.uuid4().hex
        self._begun = {epoch for (epoch,) in self._rows("SELECT epoch FROM epochs")}
        [(first,)] = self._rows("SELECT min(position) FROM events")  # one alone needs no search
        [(last,)] = self._rows("SELECT max(position) FROM events")
        newest = self.read(last - 1, 1)[0] if last else None
        seq = newest.seq if newest and newest.epoch == epoch else 0
        return Resumed(epoch, last or 0, seq, first - 1 if first else 0, newest)

    def begin(self, epoch: str) -> None:
        """Note that numbers of this epoch are given from here on."""
        with self._lock, self._transaction():
            self._write_begun(epoch)
        self._epoch = epoch

    def not_summed(self) -> list[Stored]:
        """The events that came after the sums were written."""
        [(summed,)] = self._rows("SELECT max(value + 0) FROM facts WHERE name='summed'")
        return self.read(summed or 0, LARGEST_SEQ)

    def totals(self) -> list[TotalsRow]:
        """The newest totals of every line."""
        return self._rows("SELECT camera, line, counts FROM totals")

    def tallies(self) -> list[Tally]:
        """What was counted in the last day, and in all."""
        rows = self._rows("SELECT camera, minute, kind, place, figure, value FROM tallies")
        return [Tally(*row) for row in rows]

    def acknowledged(self) -> list[tuple[str, int]]:
        """What clients have acknowledged, in the order in which they first did."""
        return self._rows("SELECT client, position FROM acknowledged ORDER BY rowid")

    def cursors(self, newest: int) -> dict[str, Cursor]:
        """How far the sinks are."""
        rows = self._rows("SELECT sink, position, dropped FROM cursors")
        return {
            sink: Cursor(min(position, newest), self._queued(sink, position), dropped)
            for sink, position, dropped in rows
        }

    def commit(self, group: Group) -> None:
        """Write all of it or nothing; what a commit that failed late left behind is replaced."""
        with self._lock, self._transaction():
            self._database.executemany(
                f"INSERT OR REPLACE INTO events({_COLUMNS}) VALUES(?,?,?,?,?,?,?)",
                group.events,
            )
            self._write_epoch(group)
            if group.sums is not None:
                self._write_sums(group.sums)
            for sink, cursor in group.cursors.items():
                self._write_cursor(sink, cursor)
            for client, position in group.acknowledged.items():
                self._write_acknowledged(client, position)
        self._epoch, self._unchecked = group.epoch, self._unchecked + 1
        self._begun.update(event.epoch for event in group.events)

    def read(self, after: int, limit: int) -> list[Stored]:
        """The next events after a position."""
        query = f"SELECT {_COLUMNS} FROM events WHERE position>? ORDER BY position LIMIT ?"  # noqa: S608 - our own columns
        return [Stored(*row) for row in self._rows(query, after, limit)]

    def read_between(self, after: int, last: int) -> list[Stored]:
        """The events after a position up to another one."""
        query = f"SELECT {_COLUMNS} FROM events WHERE position>? AND position<=?"  # noqa: S608 - our own columns
        return [Stored(*row) for row in self._rows(query, after, last)]

    def position_of(self, seq: int, epoch: str) -> int:
        """The position of an event or the one before it that is kept; 0 when there is none."""
        zero, end = self._extent(epoch)
        query = "SELECT max(position) FROM events WHERE position>? AND position<=?"
        [(position,)] = self._rows(query, zero, min(zero + seq, end))
        return position or 0

    def before(self, epoch: str) -> int:
        """The position before the oldest event of an epoch that is kept."""
        query = "SELECT min(position) FROM events WHERE position>? AND position<=?"
        [(position,)] = self._rows(query, *self._extent(epoch))
        return position - 1 if position else 0

    def delete_up_to(self, position: int) -> int:
        """Delete the oldest events; return how many there were."""
        ended = "DELETE FROM epochs WHERE number < (SELECT max(number) FROM epochs WHERE zero<=?)"
        with self._lock, self._transaction():
            self._database.execute(ended, (position,))
            return self._database.execute(
                "DELETE FROM events WHERE position<=?", (position,)
            ).rowcount

    def make_safe(self) -> None:
        """What was committed survives a loss of power from here on. Raises OSError too."""
        log = self._path.with_name(self._path.name + "-wal")
        if self._unchecked >= CHECKPOINT_COMMITS or log.stat().st_size > LARGEST_LOG_BYTES:
            with self._lock:
                # The log is written over from its beginning, so its size, which each fsync would
                # have to write too, stays.
                self._database.execute("PRAGMA wal_checkpoint(RESTART)")
                self._unchecked = 0
        descriptor = os.open(log, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Note that nothing was lost. Does not wait for a disk that hangs."""
        if not self._lock.acquire(timeout=BUSY_S):
            return
        try:
            with contextlib.suppress(sqlite3.Error):
                self._write_fact("closed", "yes")
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _write_epoch(self, group: Group) -> None:
        if group.epoch != self._epoch:
            self._write_begun(group.epoch)
        if group.events and group.epoch not in self._begun:
            zero = group.events[0].position - group.events[0].seq
            self._database.execute(
                "INSERT OR REPLACE INTO epochs(epoch, zero) VALUES(?,?)", (group.epoch, zero)
            )

    def _write_begun(self, epoch: str) -> None:
        for name, value in (("epoch", epoch), ("boot_id", self._boot_id), ("closed", "no")):
            self._write_fact(name, value)

    def _extent(self, epoch: str) -> tuple[int, int]:
        """The position before the first event of an epoch and that of its last, kept or not."""
        query = "SELECT number, zero FROM epochs WHERE epoch=?"
        for number, zero in self._rows(query, epoch):
            [(end,)] = self._rows("SELECT min(zero) FROM epochs WHERE number>?", number)
            return zero, LARGEST_SEQ if end is None else end
        return 0, 0

    def _write_sums(self, sums: Sums) -> None:
        self._database.executemany("INSERT OR REPLACE INTO totals VALUES(?,?,?)", sums.totals)
        self._database.executemany(_ADD_TALLY, sums.tallies)
        oldest = max((tally.minute for tally in sums.tallies), default=0) - KEPT_MINUTES
        self._database.execute("DELETE FROM tallies WHERE minute>? AND minute<=?", (IN_ALL, oldest))
        self._write_fact("summed", str(sums.position))

    def _write_cursor(self, sink: str, cursor: Cursor | None) -> None:
        if cursor is None:
            self._database.execute("DELETE FROM cursors WHERE sink=?", (sink,))
            return
        row = (sink, cursor.position, cursor.dropped)
        self._database.execute("INSERT OR REPLACE INTO cursors VALUES(?,?,?)", row)

    def _write_acknowledged(self, client: str, position: int | None) -> None:
        self._database.execute("DELETE FROM acknowledged WHERE client=?", (client,))
        if position is not None:
            self._database.execute("INSERT INTO acknowledged VALUES(?,?)", (client, position))

    def _write_fact(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES(?, ?)", (name, value))

    def _queued(self, sink: str, position: int) -> int:
        query = (
            "SELECT count(*) FROM events WHERE position>?"
            " AND (sinks IS NULL OR instr(',' || sinks || ',', ',' || ? || ',') > 0)"
        )
        [(count,)] = self._rows(query, position, sink)
        return int(count)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()
