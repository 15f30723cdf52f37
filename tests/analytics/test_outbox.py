"""The journal of events: numbers without gaps, epochs, bounds, and what survives a restart."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet.service.events.hub import StreamHub
from camfleet.service.events.journal import Journal, MemoryJournal
from camfleet.service.events.opening import open_outbox
from camfleet.service.events.outbox import Outbox
from camfleet.service.events.outbox_lock import OutboxInUse
from journals import append, as_if_killed, crossing, event, nobody, opened_journal
from waiting import wait_until


@pytest.fixture(params=["sqlite", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with opened_journal(request.param, tmp_path) as journal:
        yield journal


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with contextlib.closing(Outbox(tmp_path / "outbox.db", nobody)) as kept:
        yield kept


def test_events_are_numbered_from_one_without_gaps(kept: Journal) -> None:
    append_from_threads(kept, threads=4, each=50)
    wait_until(lambda: kept.newest == 200, 60, "the events are kept")
    assert [one.seq for one in kept.read(0, 1000)] == list(range(1, 201))
    assert {one.epoch for one in kept.read(0, 1000)} == {kept.epoch}


def append_from_threads(journal: Journal, threads: int, each: int) -> None:
    def append_some() -> None:
        for number in range(each):
            journal.append(event(number))

    workers = [threading.Thread(target=append_some) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def test_reading_goes_on_after_a_position(kept: Journal) -> None:
    append(kept, 5)
    position = kept.position_of(3, kept.epoch)
    assert [one.seq for one in kept.read(position, 10)] == [4, 5]
    assert [one.seq for one in kept.read(kept.position_of(0, None), 2)] == [1, 2]
    assert kept.read(kept.newest, 10) == []


def test_restarted_process_goes_on_with_epoch_and_numbers(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.append(event())
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    append(second, 1)
    seen = [(one.epoch, one.seq) for one in second.read(0, 10)]
    second.close()
    assert seen == [(first.epoch, 1), (first.epoch, 2)]


def test_killed_process_loses_nothing_that_was_shown(tmp_path: Path) -> None:
    killed = Outbox(tmp_path / "outbox.db", nobody)
    append(killed, 1)
    as_if_killed(killed)
    next_one = Outbox(tmp_path / "outbox.db", nobody)
    seen = [one.seq for one in next_one.read(0, 10)]
    next_one.close()
    killed.close()
    assert (seen, next_one.epoch) == ([1], killed.epoch)


def test_second_process_is_refused_with_the_way_out(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(OutboxInUse, match=r"outbox\.db belongs to another.*\(pid \d+\).*--state"):
        open_outbox(tmp_path / "outbox.db", nobody)


def test_new_epoch_begins_when_the_machine_died(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    first = Outbox(path, nobody)
    first.append(event())
    first.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE facts SET value='no' WHERE name='closed'")
        database.execute("UPDATE facts SET value='another boot' WHERE name='boot_id'")
    database.close()
    second = Outbox(path, nobody)
    append(second, 1)
    seen = [(one.epoch, one.seq) for one in second.read(0, 10)]
    second.close()
    assert seen == [(first.epoch, 1), (second.epoch, 1)]
    assert first.epoch != second.epoch


def test_memory_begins_a_new_epoch_each_time() -> None:
    assert MemoryJournal(nobody).epoch != MemoryJournal(nobody).epoch


def test_oldest_events_go_at_the_bound_and_are_counted(tmp_path: Path) -> None:
    kept = Outbox(tmp_path / "outbox.db", nobody, bound=100)
    for number in range(1500):
        kept.append(event(number))
    wait_until(lambda: kept.dropped >= 800, 60, "the oldest are dropped")
    kept.close()
    with sqlite3.connect(tmp_path / "outbox.db") as database:
        [(left,)] = database.execute("SELECT count(*) FROM events").fetchall()
    database.close()
    assert left <= 700
    assert kept.dropped == 1500 - left


def test_memory_drops_the_oldest_at_the_bound() -> None:
    kept = MemoryJournal(nobody, bound=10)
    for number in range(25):
        kept.append(event(number))
    assert kept.dropped == 15
    assert [one.seq for one in kept.read(0, 100)] == list(range(16, 26))


def test_totals_of_lines_survive_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.append(crossing(1))
    first.append(crossing(2))
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    count = second.totals("door")["gate"]
    second.close()
    assert (count.entered, count.left) == (2, 2)


def test_totals_of_lines_survive_a_camera_that_is_added_anew() -> None:
    kept = MemoryJournal(nobody)
    kept.append(crossing(3))
    assert kept.totals("door")["gate"].entered == 3
    assert kept.totals("yard") == {}


def test_newest_event_is_known(kept: Journal) -> None:
    assert kept.newest_event is None
    append(kept, 2)
    assert kept.newest_event is not None
    assert (kept.newest_event.seq, kept.newest_event.epoch) == (2, kept.epoch)


def test_newest_event_of_an_earlier_process_is_known(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.append(event(1))
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    assert second.newest_event is not None
    assert (second.newest_event.seq, second.newest_event.epoch) == (1, first.epoch)
    second.close()


def test_old_events_are_read_from_disk(outbox: Outbox) -> None:
    append(outbox, 2500)
    assert [one.seq for one in outbox.read(0, 3)] == [1, 2, 3]


def test_outbox_of_an_earlier_version_is_read_on(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "outbox.db")) as database:
        database.execute(
            "CREATE TABLE events(position INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER,"
            " type TEXT, camera TEXT, text TEXT)"
        )
        database.execute("INSERT INTO events VALUES(1, 'old', 7, 'OccurrenceEvent', 'door', '{}')")
        database.commit()
    kept = Outbox(tmp_path / "outbox.db", nobody)
    assert kept.read(0, 10)[0].goes_to("mqtt")
    kept.close()


def test_hub_without_listeners_encodes_no_results() -> None:
    hub = StreamHub()
    hub.publish_result(event())
    assert hub.listeners == 0
