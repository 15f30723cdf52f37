"""One HTTP/2 connection as a server sees it.

One thread at a time reads. It passes requests on as they come and afterwards has answered what
became whole. Where such an answer takes long another thread is given the reading (`relieve`), so
that cancellations, pings and further requests are never kept waiting.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from camfleet_contracts.logs import get_logger
from camfleet_server.transports.http2.channels import Channel
from camfleet_server.transports.http2.exchange import Exchange, Receiver
from camfleet_server.transports.http2.frames import ConnectionFault, ErrorCode
from camfleet_server.transports.http2.incoming import Incoming
from camfleet_server.transports.http2.limits import Limits
from camfleet_server.transports.http2.outgoing import Outgoing
from camfleet_server.transports.http2.pace import Pace
from camfleet_server.transports.http2.session import Session

if TYPE_CHECKING:
    from camfleet_server.transports.http2.watch import Watch

logger = get_logger(__name__)


class Serving(Protocol):
    """What a connection is served by."""

    def read_head(self, fields: list[tuple[str, str]]) -> Any:
        """Make of header fields what `open` gets; equal fields may be read only once."""
        ...

    def open(self, connection: "Connection", exchange: Exchange, head: Any) -> Receiver:
        """Begin with a request; the reading thread, which must not wait."""
        ...

    def answer(self, ready: list[Any]) -> None:
        """Answer what receivers put into `connection.ready`; the reading thread."""
        ...


class Connection:
    """Reads until the peer or the server ends it."""

    def __init__(
        self,
        channel: Channel,
        peer: str,
        serving: Serving,
        limits: Limits,
        watch: "Watch",
    ) -> None:
        self.peer = peer
        self.window_bytes = limits.window_bytes  # of one request that are on the way
        self.outgoing = Outgoing(channel)
        self.ready: list[Any] = []  # the reading thread's
        self.pace = Pace()
        self.began_at = time.monotonic()
        self._channel = channel
        self._serving = serving
        self._watch = watch
        self._session = Session(self.outgoing, limits, serving.read_head, self._open)
        self._incoming = Incoming(channel, self._session, limits)
        self._reading = threading.Lock()  # over the two that follow
        self._shift = 0
        self._working_since = 0.0  # on time.perf_counter(), 0: the reader reads

    @property
    def descriptor(self) -> int | None:
        """What can be polled; None where bytes may have come that no poll tells of."""
        return self._channel.descriptor

    @property
    def is_shared(self) -> bool:
        """Tell whether more than one request is open, or something waits to be read."""
        return len(self.outgoing.exchanges) > 1 or self._channel.has_bytes()

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is open."""
        return not self.outgoing.exchanges

    @property
    def has_greeted(self) -> bool:
        """Tell whether the peer has begun to speak HTTP/2."""
        return self._incoming.has_preface

    @property
    def heard_at(self) -> float:
        """When the last bytes came."""
        return self._incoming.heard_at

    @property
    def owes_since(self) -> float:
        """Since when the peer could have sent what `is_owed_bytes` tells of; ask that first."""
        if not self.has_greeted:
            return self.began_at
        return max(self.heard_at, self.outgoing.granted_at)

    @property
    def is_owed_bytes(self) -> bool:
        """Tell whether the peer owes the rest of something: a frame, a message, a greeting."""
        return self._incoming.is_amid_frame or any(
            exchange.owes_bytes for exchange in list(self.outgoing.exchanges.values())
        )

    def run(self) -> None:
        """Serve the connection to its end; in a thread of its own."""
        try:
            self._channel.open()
        except OSError as error:
            logger.debug("connection_refused", peer=self.peer, error=str(error))
            self._close()
        else:
            self.read_on()

    def read_on(self) -> None:
        """Read to the end, or until another thread does."""
        with self._reading:
            pass  # whoever is relieved by this thread has been told now
        while self.read_once():
            if self.pace.is_tiny and self._watch.common.take(self):
                return

    def read_once(self) -> bool:
        """Wait for bytes and answer; False once another thread reads, or nobody any more."""
        shift = self._shift
        try:
            if self._incoming.read():
                if self.ready:
                    ready, self.ready = self.ready, []
                    self._serving.answer(ready)
                return self._shift == shift
        except ConnectionFault as fault:
            logger.info("connection_ended", peer=self.peer, why=str(fault), code=fault.code.name)
            self._session.refuse(fault)
        except OSError as error:
            logger.debug("connection_lost", peer=self.peer, error=str(error))
        # The connection ends here: it must not take the port or its neighbours with it.
        except Exception as error:
            logger.exception("connection_failed", peer=self.peer, error=repr(error))
            self._session.refuse(ConnectionFault(ErrorCode.INTERNAL_ERROR, "internal error"))
        self._close()
        return False

    def work(self, answer: Callable[[], None]) -> None:
        """Answer in the reading thread, which can be relieved meanwhile."""
        with self._reading:
            shift = self._shift
            self._working_since = time.perf_counter()
        self._watch.note_work()  # now that it can be seen
        self.pace.time(answer)
        with self._reading:
            if self._shift == shift:
                self._working_since = 0.0

    def relieve(self, latest: float) -> bool:
        """Let another thread read if this one has worked on an answer since before `latest`.

        True while a reading thread works on one.
        """
        with self._reading:
            if not 0.0 < self._working_since < latest:
                return self._working_since > 0.0
            reader = threading.Thread(target=self.read_on, name="grpc-relief", daemon=True)
            reader.start()  # before this one is told, for there may be no thread to be had
            self._shift += 1
            self._working_since = 0.0
        return False

    @property
    def is_leaving(self) -> bool:
        """Tell whether new requests are refused."""
        return self._session.is_leaving

    def announce_leave(self) -> None:
        """Ask for no new requests; those that are on their way already are taken."""
        self._session.announce_leave()

    def leave(self) -> None:
        """Take no new requests; those that are open are answered."""
        self._session.leave()

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        self._channel.finish()

    def cut(self) -> None:
        """End it now, whatever is open."""
        self._channel.cut()

    def _open(self, exchange: Exchange, head: Any) -> Receiver:
        return self._serving.open(self, exchange, head)

    def _close(self) -> None:
        """End what is open and give the socket back, once nobody sends any more."""
        self._channel.cut()
        for exchange in list(self.outgoing.exchanges.values()):
            exchange.end()
        with self.outgoing.lock:
            self._channel.close()
        self._watch.leave(self)
