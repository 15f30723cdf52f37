"""The live stream of one camera: hands access units from its source's thread to the readers.

The thread that has read a picture sends it too, where that needs no waiting (ADR 39): a second
thread to wake for every picture costs more than the sending.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.stop import Stop

_GROUP_LIMIT_BYTES = 8_000_000
_GROUP_LIMIT_UNITS = 600
_TURN_LOOK_S = 0.01
_STOP_LOOK_S = 0.2


class UnitListener(Protocol):
    """Takes the units of a stream; whoever calls holds the stream's lock."""

    def takes_at_once(self, unit: AccessUnit) -> bool:
        """Whether the source's thread may call `deliver` with this unit, in place of the loop."""

    def deliver(self, unit: AccessUnit) -> None:
        """Take the next unit."""

    def forget(self) -> None:
        """Know that the source is lost: older pictures are no longer live."""

    def end(self) -> None:
        """Know that no unit follows: the camera was removed, or its film is over."""

    @property
    def is_behind(self) -> bool:
        """Whether it still has much to do; asked only where the source can wait for it."""


class Stream:
    """Keeps the newest group of pictures and passes every unit to its listeners.

    The source's thread calls `push`, `push_in_turn`, `forget` and `finish`; all other methods
    belong to the event loop. The lock is held while a unit is handed over, and by whoever changes
    what that reads.

    Args:
        start_patience_s: how long its first picture may take at least.
    """

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, start_patience_s: float = 0.0
    ) -> None:
        self.name, self.start_patience_s = name, start_patience_s
        self.lock = threading.RLock()
        self._loop = loop
        self._posted = 0  # what the event loop has not come to yet; nothing may overtake it
        self._group: list[AccessUnit] = []
        self._group_bytes = 0
        self._listeners: tuple[UnitListener, ...] = ()
        self._first_key, self._listened = asyncio.Event(), asyncio.Event()
        self._turn: threading.Event | None = None  # set when the source may give the next unit
        self.is_in_turn = False  # the source waits for its readers
        self.latest_key: AccessUnit | None = None
        self.readers = 0
        self.waiting = 0  # who asked for the first picture and has none yet
        self.dropped = 0  # units that slow readers did not get
        self.endings = 0  # how often its readers were told that it is over

    def push(self, unit: AccessUnit) -> None:
        """Hand over a unit, at once if all can take it, else by way of the event loop."""
        with self.lock:
            if not self._posted and all(one.takes_at_once(unit) for one in self._listeners):
                self.deliver(unit)
            else:
                self._post(self.deliver, unit)

    def push_in_turn(self, unit: AccessUnit, stop: Stop) -> None:
        """Hand over a unit, then wait until somebody listens and all who do keep up.

        Called by the thread of a source that can wait.
        """
        turn = threading.Event()
        self._post(self._deliver_in_turn, unit, turn)
        while not turn.wait(_STOP_LOOK_S) and not stop.is_set():
            continue

    def forget(self) -> None:
        """Show nothing until the next key picture; called by the source's thread when it fails."""
        self._post(self._forget)

    def finish(self) -> None:
        """Tell the listeners that nothing follows; called by the source's thread."""
        self._post(self.end)

    @property
    def group(self) -> list[AccessUnit]:
        """Units from the newest key picture on; empty before the first."""
        return list(self._group)

    @property
    def is_held(self) -> bool:
        """Whether what comes next would find no listener, or one that is behind."""
        return not self._listeners or any(one.is_behind for one in self._listeners)

    @property
    def waits_for(self) -> str | None:
        """For whom a source waits that gives its units in turn."""
        if self._turn is None:
            return None
        return "a slow reader" if self._listeners else "a reader"

    def listen(self, listener: UnitListener) -> None:
        """Give `listener` every further unit."""
        with self.lock:
            self._listeners = (*self._listeners, listener)
        self._listened.set()
        self._look_at_turn()

    def unlisten(self, listener: UnitListener) -> None:
        """Give `listener` nothing more."""
        with self.lock:
            self._listeners = tuple(one for one in self._listeners if one is not listener)
        if not self._listeners:
            self._listened.clear()

    async def wait_for_listener(self) -> None:
        """Return once somebody listens."""
        await self._listened.wait()

    def wait_for_loop(self) -> None:
        """Hand over nothing until the event loop is done with what calls this."""
        self._post(_nothing)

    async def first_key(self, timeout_s: float) -> AccessUnit | None:
        """Return the newest key picture; wait for the first one, None after `timeout_s`."""
        self.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._first_key.wait()
        except TimeoutError:
            return None
        finally:
            self.waiting -= 1
        return self.latest_key

    def end(self) -> None:
        """Tell every listener that the stream is over."""
        self.endings += 1
        with self.lock:
            for listener in self._listeners:
                listener.end()
            self._listeners = ()
        self._listened.clear()

    def _post(self, action: Callable[..., None], *arguments: object) -> None:
        """Let the event loop do it, after all that was posted before."""
        with self.lock:
            self._posted += 1
            with suppress(RuntimeError):  # the loop has ended; the source's thread is about to
                self._loop.call_soon_threadsafe(self._act, action, *arguments)

    def _act(self, action: Callable[..., None], *arguments: object) -> None:
        with self.lock:
            self._posted -= 1
            action(*arguments)

    def _forget(self) -> None:
        self._group, self._group_bytes, self.latest_key = [], 0, None
        self._first_key.clear()
        for listener in self._listeners:
            listener.forget()

    def deliver(self, unit: AccessUnit) -> None:
        """Take the next unit."""
        with self.lock:
            self._keep(unit)
            for listener in self._listeners:
                listener.deliver(unit)

    def _deliver_in_turn(self, unit: AccessUnit, turn: threading.Event) -> None:
        self.deliver(unit)
        self._turn, self.is_in_turn = turn, True
        self._look_at_turn()

    def _look_at_turn(self) -> None:
        """Let the source go on if it may; look again soon when somebody is behind."""
        if self._turn is None:
            return
        if not self.is_held:
            self._turn.set()
            self._turn = None
        elif self._listeners:
            self._loop.call_later(_TURN_LOOK_S, self._look_at_turn)

    def _keep(self, unit: AccessUnit) -> None:
        if unit.is_key:
            if self.latest_key is None:
                self._post(self._first_key.set)
            self._group, self._group_bytes, self.latest_key = [], 0, unit
        elif not self._group:
            return
        self._group.append(unit)
        self._group_bytes += unit.size_bytes
        if self._group_bytes > _GROUP_LIMIT_BYTES or len(self._group) > _GROUP_LIMIT_UNITS:
            self._group = []  # too long to be worth sending: new readers wait for the next key


def _nothing() -> None:
    """Only take a turn."""
