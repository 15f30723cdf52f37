"""One member's part in what a shared reader did and cost."""

from dataclasses import replace
from typing import NamedTuple

from camfleet.video.connection import ReaderCounts


class _Part(NamedTuple):
    held: ReaderCounts  # up to `since`
    since: ReaderCounts  # the reader's own totals at that moment
    sharers: int


class Account:
    """Everybody has seen all the frames; the time they took is split evenly.

    `open` and what follows belong to who changes the members; `read` is for any thread.
    """

    def __init__(self) -> None:
        self._held = ReaderCounts()
        self._part: _Part | None = None  # replaced, never changed

    def open(self, counts: ReaderCounts, *, is_connected: bool) -> None:
        """The member takes part from now on; a connection that is there counts as its own."""
        held = replace(self._held, connections=self._held.connections + is_connected)
        self._part = _Part(held, replace(counts), 1)

    def split(self, counts: ReaderCounts, sharers: int) -> None:
        """From now on it is one of so many."""
        now = replace(counts)
        self._part = _Part(self.read(now), now, sharers)

    def close(self, counts: ReaderCounts) -> None:
        """The member has left: what comes is not its own."""
        self._held, self._part = self.read(counts), None

    def read(self, counts: ReaderCounts) -> ReaderCounts:
        """What the member has had a part in up to now, `counts` being the reader's totals."""
        part = self._part
        if part is None:
            return self._held
        held, since, share = part.held, part.since, 1 / part.sharers
        return ReaderCounts(
            decoded=held.decoded + counts.decoded - since.decoded,
            rested=held.rested + counts.rested - since.rested,
            late=held.late + counts.late - since.late,
            undecodable=held.undecodable + counts.undecodable - since.undecodable,
            connections=held.connections + counts.connections - since.connections,
            decode_s=held.decode_s + share * (counts.decode_s - since.decode_s),
            thread_s=held.thread_s + share * (counts.thread_s - since.thread_s),
        )
