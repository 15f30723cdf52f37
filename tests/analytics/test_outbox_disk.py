"""The journal of events on a disk that is slow, refuses, or holds no database."""

import contextlib
import errno
import resource
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from camfleet.service.events import outbox as outbox_module
from camfleet.service.events.journal import MemoryJournal
from camfleet.service.events.opening import open_outbox
from camfleet.service.events.outbox import MAX_WAITING, Outbox
from camfleet.service.events.outbox_database import Group
from journals import append, as_if_killed, event, nobody
from waiting import wait_until


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with contextlib.closing(Outbox(tmp_path / "outbox.db", nobody)) as kept:
        yield kept


@contextlib.contextmanager
def refusing_disk(outbox: Outbox) -> Iterator[None]:
    refusal = "CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT,'full'); END"
    outbox._database._database.execute(refusal)
    yield
    outbox._database._database.execute("DROP TRIGGER refuse")


def test_no_event_is_seen_before_it_is_committed(outbox: Outbox, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "outbox.db")) as other:
        other.execute("BEGIN IMMEDIATE")  # whoever writes now waits
        outbox.append(event())
        assert (outbox.newest, outbox.read(0, 10)) == (0, [])
        other.rollback()
    wait_until(lambda: outbox.newest == 1, 60, "the event is kept")


def test_refusing_disk_shows_events_under_an_epoch_it_does_not_know(
    outbox: Outbox, tmp_path: Path
) -> None:
    append(outbox, 3)
    known = outbox.epoch
    with refusing_disk(outbox):
        append(outbox, 2)
        shown = [(one.epoch, one.seq) for one in outbox.read(0, 10)]
        as_if_killed(outbox)
    next_one = Outbox(tmp_path / "outbox.db", nobody)
    append(next_one, 1)
    given = [(one.epoch, one.seq) for one in next_one.read(0, 10)]
    next_one.close()
    assert shown == [(known, 1), (known, 2), (known, 3), (outbox.epoch, 1), (outbox.epoch, 2)]
    assert given == [(known, 1), (known, 2), (known, 3), (known, 4)]  # not one of those shown


def test_events_are_written_when_the_disk_takes_them_again(outbox: Outbox, tmp_path: Path) -> None:
    append(outbox, 1)
    with refusing_disk(outbox):
        append(outbox, 2)
    wait_until(lambda: not outbox._unwritten, 60, "the disk takes them")
    append(outbox, 1)
    with contextlib.closing(sqlite3.connect(tmp_path / "outbox.db")) as database:
        kept = database.execute("SELECT seq, epoch FROM events ORDER BY position").fetchall()
    first = outbox.read(0, 1)[0].epoch
    assert kept == [(1, first), (1, outbox.epoch), (2, outbox.epoch), (3, outbox.epoch)]


def test_what_sinks_and_clients_are_done_with_is_written_when_the_disk_takes_it_again(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.cursors.open("ha")
    append(outbox, 2)
    with refusing_disk(outbox):
        outbox.cursors.advance("ha", outbox.read(0, 2))
        outbox.acknowledge("page", 2, None, sent=2)
        append(outbox, 1)
        wait_until(lambda: outbox._is_refused, 60, "the disk refuses")
    wait_until(lambda: not outbox._is_refused, 60, "the disk takes them")
    outbox.close()
    with contextlib.closing(Outbox(tmp_path / "outbox.db", nobody)) as next_one:
        next_one.cursors.open("ha")
        assert (next_one.cursors.get("ha"), next_one.acknowledged("page")) == ((2, 1, 0), 2)


def test_refusing_disk_is_not_asked_again_with_each_event(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Group) -> None:
        asked.append("commit")
        raise sqlite3.OperationalError("disk I/O error")

    asked: list[str] = []
    monkeypatch.setattr(outbox_module, "RETRY_S", 3600.0)
    monkeypatch.setattr(outbox._database, "commit", refuse)
    for number in range(5):
        append(outbox, 1, begin=number)
    assert asked == ["commit"]


def test_a_close_writes_what_the_disk_refused_a_moment_ago(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RETRY_S", 3600.0)
    with refusing_disk(outbox):
        append(outbox, 2)
    outbox.close()
    with contextlib.closing(Outbox(tmp_path / "outbox.db", nobody)) as next_one:
        assert [one.seq for one in next_one.read(0, 10)] == [1, 2]


def test_who_asks_from_the_beginning_of_a_refused_epoch_gets_its_events(outbox: Outbox) -> None:
    append(outbox, 3)
    with refusing_disk(outbox):
        append(outbox, 2)
        assert outbox.position_of(0, outbox.epoch) == 3


def test_an_event_before_a_quiet_time_is_made_safe_and_once_more_if_that_fails(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_safe() -> None:
        asked.append("fsync")
        if len(asked) == 1:
            raise OSError(errno.EIO, "Input/output error")

    asked: list[str] = []
    monkeypatch.setattr(outbox_module, "FSYNC_INTERVAL_S", 0.05)
    monkeypatch.setattr(outbox._database, "make_safe", make_safe)
    append(outbox, 1)
    wait_until(lambda: len(asked) == 1, 60, "the event is made safe")
    append(outbox, 1)
    wait_until(lambda: len(asked) > 1, 60, "the next is made safe")


def test_memory_stays_bounded_while_the_disk_refuses(outbox: Outbox) -> None:
    outbox.cursors.open("ha")
    with refusing_disk(outbox):
        append(outbox, 1)
        for number in range(MAX_WAITING + 50):
            outbox.append(event(number))
        wait_until(lambda: outbox.newest == MAX_WAITING + 51, 60, "all are shown")
    cursor = outbox.cursors.get("ha")
    assert (outbox.dropped, cursor.dropped, cursor.queued) == (51, 51, MAX_WAITING)
    assert outbox.read(0, 1)[0].position == 52


def test_pipeline_does_not_wait_for_a_disk_that_hangs(outbox: Outbox) -> None:
    with outbox._database._lock:
        outbox.append(event())
        outbox.append(event())
    wait_until(lambda: outbox.newest == 2, 60, "both are kept")


def test_corrupt_journal_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no database" * 1000)
    kept = open_outbox(path, nobody)
    append(kept, 1)
    assert [one.seq for one in kept.read(0, 10)] == [1]
    kept.close()
    [aside] = tmp_path.glob("outbox.db.corrupt-*")
    assert aside.read_bytes().startswith(b"no database")
    [record] = caplog.records
    assert f"outbox is corrupt, beginning a new one file={path}" in record.getMessage()


def test_journal_that_cannot_be_opened_is_kept_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outbox.db").mkdir()
    assert isinstance(open_outbox(tmp_path / "outbox.db", nobody), MemoryJournal)
    [record] = caplog.records
    assert "events are kept in memory only" in record.getMessage()


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # no file takes a byte
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_that_refuses_for_long_is_told_once(
    outbox: Outbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RETRY_S", 0.0)
    with refusing_disk(outbox):
        append(outbox, 1)
        append(outbox, 1)
        append(outbox, 1)
    told = [record.getMessage() for record in caplog.records]
    assert [text for text in told if "cannot write" in text] == [told[0]]


def test_full_disk_at_the_first_start_means_events_in_memory(tmp_path: Path) -> None:
    with full_disk():
        journal = open_outbox(tmp_path / "outbox.db", nobody)
    append(journal, 1)
    journal.close()
    assert isinstance(journal, MemoryJournal)


@pytest.mark.parametrize("ended", [Outbox.close, as_if_killed], ids=["closed", "killed"])
def test_full_disk_at_a_later_start_costs_no_event_once_there_is_room(
    tmp_path: Path, ended: Callable[[Outbox], None]
) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    append(first, 2)
    ended(first)
    with full_disk():
        second = open_outbox(tmp_path / "outbox.db", nobody)
        known = [(one.epoch, one.seq) for one in second.read(0, 10)]
    append(second, 3)
    second.close()

    with contextlib.closing(Outbox(tmp_path / "outbox.db", nobody)) as third:
        kept = [(one.epoch, one.seq) for one in third.read(0, 10)]

    assert known == [(first.epoch, 1), (first.epoch, 2)]
    assert kept == [*known, (second.epoch, 1), (second.epoch, 2), (second.epoch, 3)]
    assert second.epoch != first.epoch
