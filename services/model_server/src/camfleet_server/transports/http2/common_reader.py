"""One thread that reads many connections, where answers are so short that threads cost more.

Sixteen threads that each answer in 60 us spend as much again on handing the interpreter round. A
connection whose answers are tiny, and which meets another such, is therefore read by this thread
until its answers become longer. Whatever keeps it at one connection for long is its affair: that
connection keeps the thread for itself and a new one reads the others (`relieve`).
"""

import math
import select
import threading
import time
from collections.abc import Callable
from typing import Protocol

from camfleet_contracts.logs import get_logger
from camfleet_server.transports.http2.pace import Pace

logger = get_logger(__name__)

_MEETING_S = 0.1  # between two tiny answers that count as at the same time
_THREAD = "grpc-read-common"


class Readable(Protocol):
    """A connection as its reader sees it."""

    pace: Pace

    @property
    def descriptor(self) -> int | None:
        """What can be polled; None where bytes may have come that no poll tells of."""
        ...

    def read_once(self) -> bool:
        """Wait for bytes and answer; False once somebody else reads, or nobody any more."""
        ...

    def read_on(self) -> None:
        """Read to the end, or until somebody else does; in a thread of its own."""
        ...


class CommonReader:
    """Reads connections by turns; its thread lives as long as there are any."""

    def __init__(self, note_work: Callable[[], None]) -> None:
        self._note_work = note_work
        self._lock = threading.Lock()  # over all that follows
        self._poll: select.epoll | None = None  # of the thread that reads, if there is one
        self._connections: dict[int, Readable] = {}  # by descriptor
        self._reading: Readable | None = None
        self._since = 0.0  # when that began, on time.perf_counter()
        self._last, self._last_at = 0, -math.inf  # whose answers were tiny last, by id, and when

    def take(self, connection: Readable) -> bool:
        """Read a connection from now on; False when its own thread must go on."""
        descriptor = connection.descriptor
        if descriptor is None:
            return False
        with self._lock:
            if not self._meets_another(connection):
                return False
            try:
                self._poll = self._poll or self._start({})
            except (OSError, RuntimeError) as error:
                logger.warning("no_common_reader", error=str(error))
                return False
            connection.pace.trust()
            self._connections[descriptor] = connection
            self._poll.register(descriptor, select.EPOLLIN)
        return True

    def relieve(self, latest: float) -> bool:
        """Let a new thread read the others if this one is at one since before `latest`.

        True while it is at one.

        Raises:
            OSError, RuntimeError: no thread is to be had.
        """
        with self._lock:
            if self._reading is None or self._since >= latest:
                return self._reading is not None
            self._hand_over(self._reading)
        return False

    def _meets_another(self, connection: Readable) -> bool:
        now = time.perf_counter()
        meets_another = self._last != id(connection) and now - self._last_at < _MEETING_S
        self._last, self._last_at = id(connection), now
        return meets_another

    def _start(self, connections: dict[int, Readable]) -> select.epoll:
        poll = select.epoll()
        for descriptor in connections:
            poll.register(descriptor, select.EPOLLIN)
        threading.Thread(target=self._run, args=(poll,), name=_THREAD, daemon=True).start()
        return poll

    def _hand_over(self, kept: Readable) -> None:
        """Let a new thread read all but one connection, which stays with the present one."""
        others = {number: each for number, each in self._connections.items() if each is not kept}
        self._poll = self._start(others)  # first of all, for there may be no thread
        self._connections, self._reading = others, None

    def _run(self, poll: select.epoll) -> None:
        with poll:
            while self._has_any(poll):
                for descriptor, _ in poll.poll():
                    if not self._read(descriptor, poll):
                        return

    def _has_any(self, poll: select.epoll) -> bool:
        with self._lock:
            if self._poll is poll and not self._connections:
                self._poll = None
            return self._poll is poll

    def _read(self, descriptor: int, poll: select.epoll) -> bool:
        """Read one connection; False when another thread reads the others from now on."""
        with self._lock:
            if self._poll is not poll:
                return False
            connection = self._reading = self._connections[descriptor]
            self._since = self._last_at = time.perf_counter()
            self._last = id(connection)
        self._note_work()  # now that it can be seen
        goes_on = connection.read_once()
        with self._lock:
            if self._poll is poll and self._stays(connection, descriptor, goes_on):
                return True
        if goes_on:
            connection.read_on()
        return False

    def _stays(self, connection: Readable, descriptor: int, goes_on: bool) -> bool:
        """Forget a connection that is over; False when one has got this thread to itself."""
        self._reading = None
        pace = connection.pace
        if not goes_on and self._connections[descriptor] is connection:  # not a newer one's
            del self._connections[descriptor]
        if not goes_on or (pace.is_tiny and pace.is_prompt):
            return True
        pace.distrust()
        try:
            self._hand_over(connection)
        except (OSError, RuntimeError) as error:
            logger.warning("no_thread_to_read", error=str(error))
            return True
        return False
