"""Journals of events as tests open and fill them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from camfleet.service import messages
from camfleet.service.events.journal import Journal, MemoryJournal
from camfleet.service.events.outbox import Outbox
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
        object_label="car",
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


def as_if_killed(outbox: Outbox) -> None:
    """The lock is gone, nothing was closed, and what only memory held is lost."""
    outbox._held.release()
    outbox._keep_incoming = lambda: False  # type: ignore[method-assign]  # its thread does no more


@contextlib.contextmanager
def opened_journal(kind: str, folder: Path) -> Iterator[Journal]:
    """A journal in a file of `folder`, or in memory."""
    is_memory = kind == "memory"
    journal: Journal = MemoryJournal(nobody) if is_memory else Outbox(folder / "outbox.db", nobody)
    with contextlib.closing(journal):
        yield journal
