"""Events with their numbers, and the newest of them in memory."""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from camfleet_contracts.events import Envelope

Sinks = tuple[str, ...] | None  # the sinks an event goes to; None means all


class Stored(NamedTuple):
    """One event as clients get it; `position` orders all epochs."""

    position: int
    seq: int
    epoch: str
    type: str
    camera: str | None
    text: str
    sinks: str | None = None  # names with commas between; None means all

    def goes_to(self, sink: str) -> bool:
        """Whether the event is meant for a sink."""
        return self.sinks is None or sink in self.sinks.split(",")


class Tail:
    """The newest events in memory; positions in it have no gaps. Not thread-safe."""

    def __init__(self, size: int) -> None:
        self._events: deque[Stored] = deque()
        self._size = size

    def add(self, event: Stored) -> Stored | None:
        """Keep an event; return the oldest one when it had to go for it."""
        self._events.append(event)
        return self._events.popleft() if len(self._events) > self._size else None

    def read(self, after: int, limit: int) -> list[Stored] | None:
        """The events after a position, None when they do not reach back so far."""
        if not self._events:
            return None
        first = self._events[0].position
        if after + 1 < first:
            return None
        begin = after + 1 - first
        return list(islice(self._events, begin, begin + limit))

    def find(self, seq: int, epoch: str) -> int | None:
        """The position of an event."""
        found = (e.position for e in reversed(self._events) if e.seq == seq and e.epoch == epoch)
        return next(found, None)

    @property
    def oldest(self) -> int:
        """The position before the oldest event."""
        return self._events[0].position - 1 if self._events else 0


def numbered(
    messages: Iterable[tuple[Envelope, Sinks]], position: int, seq: int, epoch: str
) -> list[Stored]:
    """The events with the numbers after `position` and `seq`, as text."""
    return [
        _stored(message, sinks, position + count, seq + count, epoch)
        for count, (message, sinks) in enumerate(messages, 1)
    ]


def _stored(message: Envelope, sinks: Sinks, position: int, seq: int, epoch: str) -> Stored:
    text = message.model_copy(update={"seq": seq, "epoch": epoch}).to_json()
    names = None if sinks is None else ",".join(sinks)
    return Stored(position, seq, epoch, message.type, message.camera, text, names)
