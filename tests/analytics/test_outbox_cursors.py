"""How far clients and sinks have come in the journal of events."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from camfleet.service.events.cursors import KEEP_GONE_S
from camfleet.service.events.journal import Journal
from camfleet.service.events.outbox import Outbox
from camfleet.service.events.stored import Stored
from journals import append, event, nobody, opened_journal
from waiting import wait_until


@pytest.fixture(params=["sqlite", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with opened_journal(request.param, tmp_path) as journal:
        yield journal


def test_acknowledgement_is_remembered_per_client(kept: Journal) -> None:
    append(kept, 5)
    kept.acknowledge("ha", 3, None, sent=kept.newest)
    assert kept.acknowledged("ha") == kept.position_of(3, None)
    assert kept.acknowledged("other") is None


def test_acknowledgement_goes_no_further_than_what_was_sent(
    kept: Journal,
) -> None:
    append(kept, 5)
    kept.acknowledge("ha", 5, None, sent=kept.position_of(2, None))
    assert kept.acknowledged("ha") == kept.position_of(2, None)


def test_acknowledgement_of_an_earlier_epoch_counts_there(kept: Journal) -> None:
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
    first.cursors.open("ha")
    append(first, 5)
    first.cursors.advance("ha", first.read(0, 2))
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.cursors.open("ha")
    cursor = second.cursors.get("ha")
    second.close()
    assert cursor == (2, 3, 0)


def test_sink_counts_only_events_that_are_meant_for_it(kept: Journal) -> None:
    kept.cursors.open("ha")
    kept.append(event(1), ("ha", "log"))
    kept.append(event(2), ("log",))
    kept.append(event(3), ())
    kept.append(event(4))
    wait_until(lambda: kept.newest == 4, 60, "the events are kept")
    assert [one.goes_to("ha") for one in kept.read(0, 9)] == [True, False, False, True]
    assert kept.cursors.get("ha").queued == 2


def test_sink_that_is_down_loses_the_oldest_at_the_bound_and_counts_them(tmp_path: Path) -> None:
    kept = Outbox(tmp_path / "outbox.db", nobody, bound=100)
    kept.cursors.open("down")
    kept.cursors.open("up")
    append(kept, 600)
    kept.cursors.advance("up", kept.read(0, 600))
    append(kept, 900)
    kept.close()  # the thread that writes drops them after it has shown the new ones
    down, up = kept.cursors.get("down"), kept.cursors.get("up")
    again = Outbox(tmp_path / "outbox.db", nobody, bound=100)
    left = [one.position for one in again.read(down.position, 2000)]
    again.close()
    assert (down.dropped, down.queued, left[-1]) == (left[0] - 1, len(left), 1500)
    assert (down.dropped - up.dropped, down.queued) == (600, up.queued)


def test_sink_that_is_no_more_is_forgotten(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.cursors.open("gone")
    append(first, 2)
    first.cursors.keep_only(["other"], now_s=0)
    first.cursors.keep_only(["other"], now_s=KEEP_GONE_S + 1)
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.cursors.open("gone")
    assert second.cursors.get("gone") == (2, 0, 0)
    second.close()


def test_sink_that_comes_back_within_a_day_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", nobody)
    first.cursors.open("gone")
    append(first, 2)
    first.cursors.keep_only([], now_s=0)
    first.close()
    second = Outbox(tmp_path / "outbox.db", nobody)
    second.cursors.keep_only([], now_s=5)
    second.cursors.keep_only(["gone"], now_s=KEEP_GONE_S)
    second.cursors.open("gone")
    assert second.cursors.get("gone") == (0, 2, 0)
    second.close()


def test_event_waits_for_sinks_before_they_can_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, readable = Outbox(tmp_path / "outbox.db", nobody), list[Stored]()
    note_added = kept.cursors.note_added

    def amid_adding(events: Iterable[Stored]) -> None:
        readable.extend(kept.read(0, 9))
        note_added(events)

    monkeypatch.setattr(kept.cursors, "note_added", amid_adding)
    append(kept, 1)
    kept.close()
    assert readable == []


def test_sink_that_is_set_up_while_an_event_is_being_kept_counts_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Outbox(tmp_path / "outbox.db", nobody)
    note_added = kept.cursors.note_added

    def amid_adding(events: Iterable[Stored]) -> None:
        note_added(events)
        kept.cursors.open("ha")

    monkeypatch.setattr(kept.cursors, "note_added", amid_adding)
    append(kept, 3)
    cursor = kept.cursors.get("ha")
    kept.close()
    assert cursor.queued == len(kept.read(cursor.position, 9))
