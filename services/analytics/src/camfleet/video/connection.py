"""What is known of a reader's connection, and what it has read so far."""

from dataclasses import dataclass
from enum import StrEnum


class ReaderState(StrEnum):
    """What the page shows of a camera's connection."""

    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    STALLED = "STALLED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Connection:
    """A snapshot of what the reader knows."""

    state: ReaderState = ReaderState.CONNECTING
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    source_fps: float | None = None
    codec: str | None = None


@dataclass(slots=True)
class ReaderCounts:
    """Totals since the start; written by the reader's thread only."""

    decoded: int = 0
    rested: int = 0  # coded frames that were not decoded, at rest
    late: int = 0
    undecodable: int = 0
    connections: int = 0
    decode_s: float = 0.0  # processor time of decoding in the reader's thread
    thread_s: float = 0.0  # all processor time of that thread
