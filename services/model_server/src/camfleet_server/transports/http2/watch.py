"""Looks after the connections of one server: relieves readers, ends connections of no use."""

import threading
import time

from camfleet_contracts.logs import get_logger
from camfleet_server.transports.http2.common_reader import CommonReader
from camfleet_server.transports.http2.connection import Connection
from camfleet_server.transports.http2.limits import Lifetimes

logger = get_logger(__name__)

_LONG_S = 0.01  # an answer in a reading thread, before another one reads
_SWEEP_S = 1.0
_POLLED_S = 0.02
_FAREWELL_S = 0.5  # for clients to close what was answered


class Watch:
    """One thread: it sleeps while nobody is connected, and by seconds while nobody asks."""

    def __init__(self, lifetimes: Lifetimes) -> None:
        self._lifetimes = lifetimes
        self._open: set[Connection] = set()
        self._lock = threading.Lock()
        self._is_stopped = self._is_full = False
        self._has_work = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grpc-watch", daemon=True)
        self._somebody_left = threading.Condition(self._lock)
        self._ending: dict[Connection, float] = {}  # told to go, and when it is cut
        self._swept_at = 0.0
        self.common = CommonReader(self.note_work)

    def enter(self, connection: Connection) -> bool:
        """Look after a connection; False when there are as many as may be and none is idle."""
        if len(self._open) >= self._lifetimes.connections and not self._let_one_go():
            return False
        with self._lock:
            if self._is_full:
                return False
            if self._thread.ident is None:
                self._thread.start()
            self._open.add(connection)
        self._has_work.set()
        return True

    def leave(self, connection: Connection) -> None:
        """Take note that a connection is over."""
        with self._lock:
            self._open.discard(connection)
            self._ending.pop(connection, None)
            self._somebody_left.notify_all()

    def note_work(self) -> None:
        """Take note that a reading thread answers."""
        if not self._has_work.is_set():
            self._has_work.set()

    def stop(self, grace_s: float) -> None:
        """Let open requests be answered for a while, then end every connection."""
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline and not all(c.is_idle for c in self._connections()):
            self._wait_for_leaving(_POLLED_S)
        for connection in self._connections():
            connection.finish()
        if grace_s > 0:
            self._wait_for_leaving(_FAREWELL_S, everybody=True)
        for connection in self._connections():
            connection.cut()
        self._is_stopped = True
        self._has_work.set()

    def say_farewell(self) -> None:
        """Take no new requests on any connection, and no new connections."""
        with self._lock:
            self._is_full = True
        for connection in self._connections():
            connection.leave()

    def _let_one_go(self) -> bool:
        """End the connection that has been silent for longest; its client can come again."""
        idle = [each for each in self._connections() if each.is_idle]
        if idle:
            silent = min(idle, key=lambda connection: connection.heard_at)
            silent.leave()
            silent.cut()
        return bool(idle)

    def _connections(self) -> list[Connection]:
        with self._lock:
            return list(self._open)

    def _wait_for_leaving(self, timeout_s: float, *, everybody: bool = False) -> None:
        with self._lock:
            count = 1 if everybody else len(self._open)
            self._somebody_left.wait_for(lambda: len(self._open) < count, timeout_s)

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._look_round()
            # The thread goes on: without it nobody is relieved and nothing is ever cut.
            except Exception as error:
                logger.exception("watch_failed", error=repr(error))

    def _look_round(self) -> None:
        if self._has_work.wait(_SWEEP_S if self._open else None):
            time.sleep(_LONG_S)
            self._has_work.clear()
            self._relieve()
        now = time.monotonic()
        if now - self._swept_at >= _SWEEP_S:
            self._swept_at = now
            self._sweep(now)

    def _relieve(self) -> None:
        latest = time.perf_counter() - _LONG_S
        try:
            is_working = self.common.relieve(latest)  # first: what it is at becomes its own reader
            for connection in self._connections():
                is_working |= connection.relieve(latest)
        except (OSError, RuntimeError) as error:
            logger.warning("no_thread_to_read", error=str(error))
            is_working = True
        if is_working:
            self._has_work.set()  # look again

    def _sweep(self, now: float) -> None:
        for connection in self._connections():
            cut_at = self._ending.get(connection)
            if cut_at is None:
                if self._is_of_no_use(connection, now):
                    connection.cut()
                else:
                    self._retire(connection, now)
            elif not connection.is_leaving:
                connection.leave()  # a sweep later: what was on its way has come
            elif connection.is_idle or now > cut_at:
                connection.cut()

    def _is_of_no_use(self, connection: Connection, now: float) -> bool:
        if not connection.is_owed_bytes or now - connection.owes_since < self._lifetimes.stalled_s:
            return False
        logger.info("connection_stalled", peer=connection.peer)
        return True

    def _retire(self, connection: Connection, now: float) -> None:
        """Tell connections to go that are idle or old; what is open on them is answered."""
        if connection.is_idle and now - connection.heard_at > self._lifetimes.idle_s:
            grace_s = _SWEEP_S
        elif now - connection.began_at > self._lifetimes.age_s:
            grace_s = self._lifetimes.grace_s
        else:
            return
        with self._lock:
            if connection in self._open:  # still
                self._ending[connection] = now + grace_s
        connection.announce_leave()
