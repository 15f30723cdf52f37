"""Totals of lines and tallies: in memory with every event, on disk now and then.

The events say it all, so the sums on disk may be behind them: beside the sums stands the position
up to which they are added up, and the next process adds up the rest.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from camfleet.lines import LineCount
from camfleet.service.events.line_totals import LineTotals, TotalsRow, totals_row
from camfleet.service.events.stored import Stored
from camfleet.service.events.tallies import Tallies, Tally, ZoneTotals, tallies_of
from camfleet_contracts.events import Envelope

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 300.0
MAX_BEHIND = 1000  # events; far fewer than the outbox keeps


class Sums(NamedTuple):
    """What the events after the sums on disk, up to a position, add to them."""

    position: int
    totals: tuple[TotalsRow, ...] = ()
    tallies: tuple[Tally, ...] = ()


class PendingSums:
    """Events that are kept and not in the sums on disk. Used by one thread."""

    def __init__(self) -> None:
        self._position, self._behind, self._since_s = 0, 0, 0.0
        self._totals: dict[tuple[str, str], TotalsRow] = {}
        self._tallies: list[Tally] = []

    def add(self, position: int, messages: Iterable[Envelope]) -> None:
        """These were kept, the last of them at this position."""
        if not self._behind:
            self._since_s = time.monotonic()
        self._position = position
        for message in messages:
            self._behind += 1
            self._tallies.extend(tallies_of(message))
            if row := totals_row(message):
                self._totals[row[0], row[1]] = row

    def due(self, *, is_last: bool = False) -> Sums | None:
        """What is to be written; None while it may wait."""
        waited_s = time.monotonic() - self._since_s
        if self._behind and (is_last or self._behind >= MAX_BEHIND or waited_s >= WRITE_EVERY_S):
            return Sums(self._position, tuple(self._totals.values()), tuple(self._tallies))
        return None


class LiveSums:
    """All sums, in memory. Not thread-safe."""

    def __init__(self, totals: Iterable[TotalsRow], tallies: Iterable[Tally]) -> None:
        self._totals, self._tallies = LineTotals(totals), Tallies(tallies)

    def note(self, message: Envelope) -> None:
        """Add what an event says."""
        self._totals.note(message)
        self._tallies.note(message)

    def totals(self, camera: str) -> dict[str, LineCount]:
        """The newest line totals of a camera, by line."""
        return self._totals.of(camera)

    def zone(self, camera: str, zone: str) -> ZoneTotals:
        """What one zone saw in all."""
        return self._tallies.zone(camera, zone)

    def intervals(self, camera: str, interval_s: int) -> list[dict[str, Any]]:
        """What a camera counted in each interval of the last day, oldest first."""
        return self._tallies.intervals(camera, interval_s)


def messages_of(events: Sequence[Stored]) -> list[Envelope]:
    """The events as they were appended."""
    messages = []
    for event in events:
        try:
            messages.append(Envelope.model_validate_json(event.text))
        except ValueError as error:
            text = "an event of the outbox is not counted position=%s reason=%s"
            logger.warning(text, event.position, error)
    return messages
