"""One stream of HTTP/2, from its first header to its last: a request and its answer."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from camfleet_server.transports.http2.outgoing import Outgoing, Part


class Receiver(Protocol):
    """Takes the body of a request; only the reading thread calls it, and it must not wait."""

    @property
    def wants_more(self) -> bool:
        """Tell whether the peer may send on."""
        ...

    @property
    def is_amid_message(self) -> bool:
        """Tell whether the peer owes the rest of something."""
        ...

    def room(self, most: int) -> memoryview | None:
        """Offer memory for at most so many of the next bytes, to be taken from there."""
        ...

    def take(self, piece: memoryview) -> None:
        """Take some bytes; the view is valid for this call only."""
        ...

    def end(self) -> None:
        """Learn that the request is whole."""
        ...


class Unwanted:
    """Receives what nobody wants, or nobody yet."""

    wants_more = False
    is_amid_message = False

    def room(self, _: int) -> None:
        """Offer none."""

    def take(self, piece: memoryview) -> None:
        """Drop it."""

    def end(self) -> None:
        """Do nothing."""


class Exchange:
    """One stream of a connection."""

    __slots__ = (
        "_callbacks",
        "granted",
        "has_whole_request",
        "is_over",
        "number",
        "outbox",
        "outgoing",
        "received",
        "receiver",
        "window",
    )

    def __init__(self, number: int, outgoing: "Outgoing", window: int, granted: int) -> None:
        self.number = number
        self.outgoing = outgoing
        self.receiver: Receiver = Unwanted()  # until somebody has looked at the headers
        self.window = window  # bytes we may still send; under the lock of `outgoing`
        self.outbox: deque[Part] = deque()  # what the window does not let through yet
        self.granted = granted  # bytes the peer may send in all; under the same lock
        self.received = 0  # the reading thread's
        self.has_whole_request = False  # the reading thread's
        self.is_over = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def owes_bytes(self) -> bool:
        """Tell whether the peer owes the rest of a message, and may send it."""
        return (
            not self.has_whole_request
            and self.received < self.granted
            and self.receiver.is_amid_message
        )

    def on_end(self, callback: Callable[[], None]) -> bool:
        """Run something once the exchange is over, however; False when it is already."""
        with self.outgoing.lock:
            if not self.is_over:
                self._callbacks.append(callback)
                return True
        return False

    def end(self) -> None:
        """Take note that it is over, however: answered, cancelled or cut."""
        with self.outgoing.lock:
            callbacks = self.finish()
        for callback in callbacks:
            callback()

    def finish(self) -> list[Callable[[], None]]:
        """Take note of it under the lock; the caller runs what is returned, without the lock."""
        self.is_over = True
        if self.outbox:
            self.outbox.clear()
            self.outgoing.room.notify_all()
        self.outgoing.exchanges.pop(self.number, None)
        callbacks, self._callbacks = self._callbacks, []
        return callbacks
