"""The file of the outbox: what an event costs, what is behind, and files of other versions."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet.service.events import outbox_database
from camfleet.service.events.outbox import Outbox
from camfleet.service.events.outbox_database import OutboxDatabase
from camfleet.service.events.sums import MAX_BEHIND, PendingSums
from journals import crossing, nobody
from waiting import wait_until

# What an earlier version made where it was missing, whenever it opened the file.
INDEX_OF_BEFORE = "CREATE INDEX IF NOT EXISTS events_by_seq ON events(epoch, seq)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Outbox]:
    with contextlib.closing(Outbox(path, nobody)) as outbox:
        yield outbox


@contextlib.contextmanager
def sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        yield database
        database.commit()


def count(outbox: Outbox, crossings: int) -> None:
    """Let so many crossings happen, each kept before the next one."""
    for _ in range(crossings):
        position = outbox.newest + 1
        outbox.append(crossing(position))
        wait_until(lambda p=position: outbox.newest == p, 60, "the event is kept")  # type: ignore[misc]


def kill(outbox: Outbox) -> None:
    """The lock is gone, nothing was closed, and what only memory held is lost."""
    outbox._held.release()
    outbox._keep_incoming = lambda: False  # type: ignore[method-assign]  # its thread does no more
    outbox._write = lambda *_: False  # type: ignore[method-assign]


def log_bytes(path: Path) -> int:
    return path.with_name("outbox.db-wal").stat().st_size


def test_an_event_touches_few_and_small_pages(path: Path) -> None:
    with opened(path) as outbox:
        count(outbox, 20)
        before = log_bytes(path)
        count(outbox, 100)
        assert (log_bytes(path) - before) / 100 < 3000


def test_the_log_is_written_over_and_does_not_grow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_database, "CHECKPOINT_COMMITS", 40)
    with opened(path) as outbox:
        count(outbox, 40)
        outbox._make_safe()
        before = log_bytes(path)
        count(outbox, 20)
        assert log_bytes(path) == before


def test_sums_of_a_killed_process_are_added_up_once(path: Path) -> None:
    for kept in range(0, 9, 3):
        killed = Outbox(path, nobody)
        assert in_last_day(killed) == kept
        count(killed, 3)
        kill(killed)
        killed.close()
    with opened(path) as outbox:
        assert outbox.totals("door")["gate"].entered == 9
        assert in_last_day(outbox) == 9


def in_last_day(outbox: Outbox) -> int:
    intervals = outbox.intervals("door", 86400)
    return sum(interval["lines"]["gate"]["in"] for interval in intervals)


def test_sums_wait_until_many_events_are_behind() -> None:
    pending = PendingSums()
    pending.add(MAX_BEHIND - 1, [crossing(1)] * (MAX_BEHIND - 1))
    assert pending.due() is None
    pending.add(MAX_BEHIND, [crossing(2)])
    sums = pending.due()
    assert sums is not None
    assert (sums.position, len(sums.totals), len(sums.tallies)) == (MAX_BEHIND, 1, 2 * MAX_BEHIND)


def test_after_a_close_an_earlier_version_finds_all_sums(path: Path) -> None:
    with opened(path) as outbox:
        count(outbox, 3)
    with sqlite(path) as database:
        [(counts,)] = database.execute("SELECT counts FROM totals").fetchall()
        values = dict(database.execute("SELECT figure, value FROM tallies").fetchall())
    assert '"in": 3' in counts
    assert values == {"in": 3, "error": 1.5}


def test_what_an_earlier_version_counted_meanwhile_is_not_counted_again(path: Path) -> None:
    with opened(path) as outbox:
        count(outbox, 2)
        epoch = outbox.epoch
        [_, newest] = outbox.read(0, 2)
    with sqlite(path) as database:
        database.execute(INDEX_OF_BEFORE)
        later = newest._replace(position=3, seq=3)
        database.execute(
            "INSERT INTO events(position, seq, epoch, type, camera, text, sinks)"
            " VALUES(?,?,?,?,?,?,?)",
            later,
        )
        database.execute("UPDATE tallies SET value = value + 1 WHERE figure='in'")
    with opened(path) as outbox:
        assert in_last_day(outbox) == 3
        assert outbox.position_of(3, epoch) == 3


def test_events_of_an_earlier_version_are_found_by_epoch_and_number(path: Path) -> None:
    with sqlite(path) as database:
        database.execute(
            "CREATE TABLE events(position INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER,"
            " type TEXT, camera TEXT, text TEXT, sinks TEXT)"
        )
        database.execute(INDEX_OF_BEFORE)
        rows = [(7, "old", 4), (8, "old", 5), (9, "new", 1), (10, "new", 2)]
        database.executemany("INSERT INTO events VALUES(?,?,?,'t','door','{}',NULL)", rows)
    with contextlib.closing(OutboxDatabase(path)) as taken_over:
        asked = [("old", 3), ("old", 4), ("old", 5), ("old", 99), ("new", 2), ("none", 1)]
        assert [taken_over.position_of(seq, epoch) for epoch, seq in asked] == [0, 7, 8, 8, 10, 0]
        assert [taken_over.before(epoch) for epoch in ("old", "new", "none")] == [6, 8, 0]
        taken_over.delete_up_to(8)
        assert [taken_over.before(epoch) for epoch in ("old", "new")] == [0, 8]
