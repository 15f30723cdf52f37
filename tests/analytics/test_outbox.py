"""The journal of events: numbers without gaps, epochs, bounds, and what survives what."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from camfleet.service import messages
from camfleet.service.events.cursors import KEEP_GONE_S
from camfleet.service.events.hub import StreamHub
from camfleet.service.events.journal import Journal, MemoryJournal
from camfleet.service.events.opening import open_outbox
from camfleet.service.events.outbox import MAX_WAITING, Outbox
from camfleet.service.events.outbox_lock import OutboxInUse
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, OccurrenceEvent, Origin, Times, envelope
from waiting import wait_until

ORIGIN = Origin("box", "door")


def event(number: int = 0) -> Envelope:
    return messages.camera_state(ORIGIN, "LIVE", f"event {number}", "CONNECTING")


def crossing(count_in: int) -> Envelope:
    totals = {"count_in": count_in, "count_out": 2, "count_error": 1.5}
    happened = OccurrenceEvent(
        event_label="line_crossed",
        data={"line": "gate", "direction": "in", **totals},
    )
    return envelope(happened, ORIGIN, Times(now_utc(), now_utc()))


def nobody() -> None:
    """A listener that does not listen."""


def append(journal: Journal, count: int, begin: int = 0) -> None:
    """Append events and wait until they can be read."""
    newest = journal.newest
    for number in range(begin, begin + count):
        journal.append(event(number))
    wait_until(lambda: journal.newest == newest + count, 60, "the events are kept")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with contextlib.closing(Outbox(tmp_path / "outbox.db", nobody)) as kept:
        yield kept


def as_if_killed(outbox: Outbox) -> None:
    """The lock is gone, nothing was closed, and what only memory held is lost."""
    outbox._held.release()
    outbox._keep_incoming = lambda: False  # type: ignore[method-assign]  # its thread does no more


@contextlib.contextmanager
def refusing_disk(outbox: Outbox) -> Iterator[None]:
    refusal = "CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT,'full'); END"
    outbox._database._database.execute(refusal)
    yield
    outbox._database._database.execute("DROP TRIGGER refuse")


@pytest.fixture(params=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Journal]:
    def opened() -> Journal:
        is_memory = request.param == "memory"
        made: Journal = (
            MemoryJournal(nobody) if is_memory else Outbox(tmp_path / "outbox.db", nobody)
        )
        request.addfinalizer(made.close)
        return made

    return opened


def test_events_are_numbered_from_one_without_gaps(journal: Callable[[], Journal]) -> None:
    kept = journal()
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


def test_reading_goes_on_after_a_position(journal: Callable[[], Journal]) -> None:
    kept = journal()
    append(kept, 5)
    position = kept.position_of(3, kept.epoch)
    assert [one.seq for one in kept.read(position, 10)] == [4, 5]
    assert [one.seq for one in kept.read(kept.position_of(0, None), 2)] == [1, 2]
    assert kept.read(kept.newest, 10) == []


def test_acknowledgement_is_remembered_per_client(journal: Callable[[], Journal]) -> None:
    kept = journal()
    append(kept, 5)
    kept.acknowledge("ha", 3, None, sent=kept.newest)
    assert kept.acknowledged("ha") == kept.position_of(3, None)
    assert kept.acknowledged("other") is None


def test_acknowledgement_goes_no_further_than_what_was_sent(
    journal: Callable[[], Journal],
) -> None:
    kept = journal()
    append(kept, 5)
    kept.acknowledge("ha", 5, None, sent=kept.position_of(2, None))
    assert kept.acknowledged("ha") == kept.position_of(2, None)


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


def test_memory_stays_bounded_while_the_disk_refuses(outbox: Outbox) -> None:
    outbox.cursors.open("ha", 0)
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


def test_newest_event_is_known(journal: Callable[[], Journal]) -> None:
    kept = journal()
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


def test_acknowledgement_of_an_earlier_epoch_counts_there(journal: Callable[[], Journal]) -> None:
    kept = journal()
    append(kept, 3)
    kept.acknowledge("ha", 2, kept.epoch, sent=kept.newest)
    kept.acknowledge("ha", 3, "an epoch nobody knows", sent=kept.newest)
    assert kept.acknowledged("ha") == kept.position_of(2, kept.epoch)


def test_acknowledgements_outlive_the_process_and_are_bounded(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    append(first, 2)
    for number in range(1005):
        first.acknowledge(f"client {number}", 1, None, sent=2)
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    found = (second.acknowledged("client 4"), second.acknowledged("client 1004"))
    second.close()
    assert found == (None, 1)


def test_cursor_of_a_sink_outlives_the_process(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.cursors.open("ha", first.newest)
    append(first, 5)
    first.cursors.advance("ha", first.read(0, 2))
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.cursors.open("ha", second.newest)
    cursor = second.cursors.get("ha")
    second.close()
    assert cursor == (2, 3, 0)


def test_sink_counts_only_events_that_are_meant_for_it(journal: Callable[[], Journal]) -> None:
    kept = journal()
    kept.cursors.open("ha", 0)
    kept.append(event(1), ("ha", "log"))
    kept.append(event(2), ("log",))
    kept.append(event(3), ())
    kept.append(event(4))
    wait_until(lambda: kept.newest == 4, 60, "the events are kept")
    assert [one.goes_to("ha") for one in kept.read(0, 9)] == [True, False, False, True]
    assert kept.cursors.get("ha").queued == 2


def test_sink_that_is_down_loses_the_oldest_at_the_bound_and_counts_them(tmp_path: Path) -> None:
    kept = Outbox(tmp_path / "outbox.db", nobody, bound=100)
    kept.cursors.open("down", 0)
    kept.cursors.open("up", 0)
    append(kept, 600)
    kept.cursors.advance("up", kept.read(0, 600))
    append(kept, 900)
    down, up = kept.cursors.get("down"), kept.cursors.get("up")
    left = [one.position for one in kept.read(down.position, 2000)]
    kept.close()
    assert (down.dropped, down.queued, left[-1]) == (left[0] - 1, len(left), 1500)
    assert (down.dropped - up.dropped, down.queued) == (600, up.queued)


def test_sink_that_is_no_more_is_forgotten(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.cursors.open("gone", 0)
    append(first, 2)
    first.cursors.keep_only(["other"], now_s=0)
    first.cursors.keep_only(["other"], now_s=KEEP_GONE_S + 1)
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.cursors.open("gone", second.newest)
    assert second.cursors.get("gone") == (2, 0, 0)
    second.close()


def test_sink_that_comes_back_within_a_day_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.cursors.open("gone", 0)
    append(first, 2)
    first.cursors.keep_only([], now_s=0)
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.cursors.keep_only([], now_s=5)
    second.cursors.keep_only(["gone"], now_s=KEEP_GONE_S)
    second.cursors.open("gone", second.newest)
    assert second.cursors.get("gone") == (0, 2, 0)
    second.close()


def test_hub_without_listeners_encodes_no_results() -> None:
    hub = StreamHub()
    hub.publish_result(event())
    assert hub.listeners == 0
