"""The journal of events: numbers without gaps, epochs, bounds, and what survives what."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from camfleet.service import messages
from camfleet.service.events.hub import StreamHub
from camfleet.service.events.journal import Journal, MemoryJournal
from camfleet.service.events.outbox import Outbox, open_outbox
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, OccurrenceEvent, Origin, Times, envelope
from waiting import wait_until

ORIGIN = Origin("box", "door")


def event(number: int = 0) -> Envelope:
    return messages.camera_state(ORIGIN, "LIVE", f"event {number}", "CONNECTING")


def crossing(count_in: int) -> Envelope:
    happened = OccurrenceEvent(
        event_label="line_crossed", data={"line": "gate", "count_in": count_in, "count_out": 2}
    )
    return envelope(happened, ORIGIN, Times(now_utc(), now_utc()))


def nobody() -> None:
    """A listener that does not listen."""


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
    for number in range(5):
        kept.append(event(number))
    position = kept.position_of(3, kept.epoch)
    assert [one.seq for one in kept.read(position, 10)] == [4, 5]
    assert [one.seq for one in kept.read(kept.position_of(0, None), 2)] == [1, 2]
    assert kept.read(kept.newest, 10) == []


def test_acknowledgement_is_remembered_per_client(journal: Callable[[], Journal]) -> None:
    kept = journal()
    for number in range(5):
        kept.append(event(number))
    kept.acknowledge("ha", 3, sent=kept.newest)
    assert kept.acknowledged("ha") == kept.position_of(3, None)
    assert kept.acknowledged("other") is None


def test_acknowledgement_goes_no_further_than_what_was_sent(
    journal: Callable[[], Journal],
) -> None:
    kept = journal()
    for number in range(5):
        kept.append(event(number))
    kept.acknowledge("ha", 5, sent=kept.position_of(2, None))
    assert kept.acknowledged("ha") == kept.position_of(2, None)


def test_restarted_process_goes_on_with_epoch_and_numbers(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.append(event())
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.append(event())
    seen = [(one.epoch, one.seq) for one in second.read(0, 10)]
    second.close()
    assert seen == [(first.epoch, 1), (first.epoch, 2)]


def test_killed_process_loses_nothing_that_was_written(tmp_path: Path) -> None:
    written = threading.Event()
    killed = Outbox(tmp_path / "outbox.db", written.set)
    killed.append(event())
    assert written.wait(5)
    with_the_killed_one_still_open = Outbox(tmp_path / "outbox.db", nobody)
    seen = [one.seq for one in with_the_killed_one_still_open.read(0, 10)]
    with_the_killed_one_still_open.close()
    killed.close()
    assert (seen, with_the_killed_one_still_open.epoch) == ([1], killed.epoch)


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
    second.append(event())
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
    wait_until(lambda: kept.dropped >= 800, 10, "the oldest are dropped")
    kept.close()
    with sqlite3.connect(tmp_path / "outbox.db") as database:
        [(left,)] = database.execute("SELECT count(*) FROM events").fetchall()
    database.close()
    assert left <= 700
    assert kept.dropped == 1500 - left


def test_events_are_written_once_while_the_oldest_cannot_go(tmp_path: Path) -> None:
    kept = Outbox(tmp_path / "outbox.db", nobody, bound=10)
    refusal = "CREATE TRIGGER keep BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'full'); END"
    kept._database.execute(refusal)
    for number in range(600):
        kept.append(event(number))
    wait_until(lambda: not kept._waiting, 10, "all events are written")
    kept._write([(one, event()) for one in kept.read(0, 1)])  # as after a commit that failed late
    kept.append(event())
    wait_until(lambda: not kept._waiting, 10, "the next one is written")
    assert (kept._stored, kept._count(), kept.dropped) == (601, 601, 0)
    kept.close()


def test_corrupt_journal_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no database" * 1000)
    kept = open_outbox(path, nobody)
    kept.append(event())
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
    kept.append(event(1))
    kept.append(event(2))
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


def test_old_events_are_read_from_disk(tmp_path: Path) -> None:
    kept = Outbox(tmp_path / "outbox.db", nobody)
    for number in range(2500):
        kept.append(event(number))
    wait_until(lambda: not kept._waiting, 10, "all events are written")
    assert [one.seq for one in kept.read(0, 3)] == [1, 2, 3]
    kept.close()


def test_hub_without_listeners_encodes_no_results() -> None:
    hub = StreamHub()
    hub.publish_result(event())
    assert hub.listeners == 0
