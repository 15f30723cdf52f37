"""How a long command tells its user what it does: on a terminal, or in a notebook's cell."""

from contextlib import AbstractContextManager
from typing import Protocol

from camfleet.catalog.transfer import Report
from camfleet.cli.console import err, note
from camfleet.cli.progress import progress_bars


class Teller(Protocol):
    """Where progress and sentences go."""

    def copying(self) -> AbstractContextManager[Report]:
        """A bar per file that is copied."""

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """A sign of life while the block waits."""

    def say(self, line: str) -> None:
        """One sentence that stays."""


class Terminal:
    """Standard error of the command."""

    def copying(self) -> AbstractContextManager[Report]:
        """Bars that end as lines."""
        return progress_bars()

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """A spinner."""
        return err.status(what)

    def say(self, line: str) -> None:
        """A line."""
        note(line)
