"""Sends results and events to everybody who listens on /v1/stream."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from camfleet.service.events.journal import Journal
from camfleet.service.events.quotas import KeyQuotas
from camfleet.service.events.stored import Sinks, Stored
from camfleet_contracts.events import RESULT_TYPES, Envelope

RESULTS_PER_LISTENER = 64  # newer ones replace the oldest of a listener that is too slow
EVENTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """What a listener wants; empty means everything."""

    types: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()

    def takes(self, kind: str, camera: str | None) -> bool:
        """True for a message of this type and camera."""
        wants_type = not self.types or kind in self.types
        return wants_type and (not self.cameras or camera in self.cameras)

    def takes_results_of(self, camera: str | None) -> bool:
        """True when some kind of result of this camera may be wanted."""
        is_result = not self.types or bool(self.types & RESULT_TYPES)
        return is_result and (not self.cameras or camera in self.cameras)


@dataclass(slots=True)
class Listener:
    """One client. Lives in the event loop; events wait in the journal, not here."""

    choice: Choice
    position: int  # of the last event that was read for it
    sent: int = field(init=False)  # position of the last event it was sent
    results: deque[str] = field(default_factory=lambda: deque(maxlen=RESULTS_PER_LISTENER))
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.sent = self.position

    def offer(self, text: str) -> None:
        """Queue a result; the oldest goes when there are too many."""
        self.results.append(text)
        self.changed.set()

    def take_results(self) -> list[str]:
        """The results that wait."""
        taken = list(self.results)
        self.results.clear()
        return taken


class StreamHub:
    """A Publisher. Pipelines publish from their threads, listeners live in one event loop."""

    def __init__(self, quotas: KeyQuotas | None = None) -> None:
        self.quotas = quotas or KeyQuotas()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._routes: Mapping[str, Sinks] = {}  # replaced, never changed
        self._wakers: tuple[Callable[[], None], ...] = ()

    def keep_events_in(self, journal: Journal) -> None:
        """Events published from now on go through this journal."""
        self._journal = journal

    def route(self, sinks_by_camera: Mapping[str, Sinks]) -> None:
        """Events of these cameras go to these sinks from now on; None means all."""
        self._routes = {**self._routes, **sinks_by_camera}

    def also_wake(self, waker: Callable[[], None]) -> None:
        """Call this too when events have come; it must return at once."""
        self._wakers = (*self._wakers, waker)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listeners of this loop are woken from now on."""
        self._loop = loop

    @property
    def journal(self) -> Journal:
        """Where events are kept."""
        if self._journal is None:
            raise RuntimeError("keep_events_in() comes before the first event")
        return self._journal

    @property
    def listeners(self) -> int:
        """How many clients listen."""
        return len(self._listeners)

    def wants_results(self, camera: str | None) -> bool:
        """True while a listener takes more than the events of this camera."""
        return any(one.choice.takes_results_of(camera) for one in self._listeners)

    def publish_result(self, message: Envelope) -> None:
        """Encoded once, and only when somebody listens."""
        wanting = [one for one in self._listeners if one.choice.takes(message.type, message.camera)]
        if wanting:
            self._in_loop(_offer_all, wanting, message.to_json())

    def publish_event(self, message: Envelope) -> None:
        """Into the journal, which wakes the listeners once it is kept."""
        self.journal.append(message, self._routes.get(message.camera or ""))

    def wake_all(self) -> None:
        """The journal has something new. Called from its thread."""
        for waker in self._wakers:
            waker()
        self._in_loop(_wake_all, self._listeners)

    def listen(self, choice: Choice, position: int) -> Listener:
        """A new client that has seen all events up to a position."""
        listener = Listener(choice, position)
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The client is gone."""
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

    async def events_for(self, listener: Listener) -> list[Stored]:
        """The next events of a client; moves its position past what it does not want."""
        if listener.position >= self.journal.newest:
            return []
        events = await asyncio.to_thread(self.journal.read, listener.position, EVENTS_AT_ONCE)
        if not events:
            return []
        listener.position = events[-1].position
        if len(events) == EVENTS_AT_ONCE:
            listener.changed.set()
        return [one for one in events if listener.choice.takes(one.type, one.camera)]

    def _in_loop(self, call: object, *arguments: object) -> None:
        if self._loop is None or self._loop.is_closed() or not callable(call):
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            return  # the loop closed in this moment; nobody listens any more


def _offer_all(listeners: list[Listener], text: str) -> None:
    for listener in listeners:
        listener.offer(text)


def _wake_all(listeners: tuple[Listener, ...]) -> None:
    for listener in listeners:
        listener.changed.set()
