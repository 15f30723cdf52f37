"""The last loads: what came, went or was refused, when, why, and how long it took."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_REMEMBERED = 100


class Outcome(StrEnum):
    """What became of a version, or of an entry or the whole of config.json."""

    LOADED = "loaded"
    RELOADED = "reloaded"  # in place of the same version, whose files or settings changed
    UNLOADED = "unloaded"  # its last request was answered
    REFUSED = "refused"
    BROKEN = "broken"  # a request left it of no use


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One entry; `version` is None for a refused entry, `model` config.json for the whole file."""

    time: datetime
    model: str
    version: int | None
    outcome: Outcome
    reason: str = ""
    took_s: float | None = None  # trying out, loading and warming up


class LoadLog:
    """The newest records of this process; written by one thread, read by any."""

    def __init__(self) -> None:
        self._records: deque[LoadRecord] = deque(maxlen=_REMEMBERED)

    def note(self, record: LoadRecord) -> None:
        """Add a record; the oldest goes when there are too many."""
        self._records.append(record)

    def newest_first(self) -> tuple[LoadRecord, ...]:
        """Return all that is remembered."""
        return tuple(reversed(self._records.copy()))
