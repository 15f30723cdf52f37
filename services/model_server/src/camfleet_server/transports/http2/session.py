"""What the frames of one connection mean: which exchanges there are and what may be sent."""

from collections.abc import Callable
from typing import Any

from camfleet_server.transports.http2.exchange import Exchange, Receiver
from camfleet_server.transports.http2.frames import (
    ACK,
    CONTINUATION,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
    NUMBER,
    NUMBER_BITS,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_BYTES,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    ConnectionFault,
    ErrorCode,
    check_size,
    frame,
    goaway,
    protocol_fault,
    reset,
    settings,
    window_update,
)
from camfleet_server.transports.http2.headers import (
    LARGEST_LIST_BYTES,
    HeaderBlocks,
    OpenBlock,
    without_extras,
)
from camfleet_server.transports.http2.limits import Limits, Patience
from camfleet_server.transports.http2.outgoing import Outgoing
from camfleet_server.transports.http2.terms import Terms

_CONNECTION_WINDOW = 1 << 30  # in effect none: the windows of the exchanges are the bound
_RESET_COST = 10
_SMALL_BYTES = 1024
_PING_BYTES = 8


class Session:
    """Takes the frames of one connection; all but `leave` and `refuse` in the reading thread."""

    def __init__(
        self,
        outgoing: Outgoing,
        limits: Limits,
        read_head: Callable[[list[tuple[str, str]]], Any],
        open_exchange: Callable[[Exchange, Any], Receiver],
    ) -> None:
        self._outgoing = outgoing
        self._exchanges = outgoing.exchanges
        self._limits = limits
        self._open_exchange = open_exchange
        self._blocks = HeaderBlocks(read_head)
        self._patience = Patience()
        self._terms = Terms(outgoing, self._patience, self._check_known)
        self._last = 0  # the newest exchange of the peer
        self._is_leaving = False
        self._received, self._granted = 0, _CONNECTION_WINDOW
        self._block: OpenBlock | None = None
        self._data: Exchange | None = None
        self._data_flags = 0
        self._take = {
            HEADERS: self._take_headers,
            CONTINUATION: self._take_continuation,
            PRIORITY: self._take_priority,
            RST_STREAM: self._take_reset,
            SETTINGS: self._terms.take_settings,
            PING: self._take_ping,
            WINDOW_UPDATE: self._terms.take_window,
            GOAWAY: self._take_goaway,
        }

    def begin(self) -> None:
        """Tell the peer our bounds."""
        ours = {
            MAX_CONCURRENT_STREAMS: self._limits.streams,
            INITIAL_WINDOW_SIZE: self._limits.window_bytes,
            MAX_FRAME_SIZE: self._limits.frame_bytes,
            MAX_HEADER_LIST_SIZE: LARGEST_LIST_BYTES,
        }
        more = window_update(0, _CONNECTION_WINDOW - DEFAULT_WINDOW)
        self._outgoing.send(settings(ours) + more)

    @property
    def is_leaving(self) -> bool:
        """Tell whether new exchanges are refused."""
        return self._is_leaving

    def announce_leave(self) -> None:
        """Ask for no new exchange; those that are on their way already are taken."""
        self._outgoing.send_if_free(lambda: goaway(NUMBER_BITS, ErrorCode.NO_ERROR))

    def leave(self) -> None:
        """Take no new exchange."""
        self._is_leaving = True
        self._outgoing.send_if_free(lambda: goaway(self._last, ErrorCode.NO_ERROR))

    def refuse(self, fault: ConnectionFault) -> None:
        """Say why the connection ends."""
        self._outgoing.send(goaway(self._last, fault.code, str(fault)))

    # DATA, in pieces ------------------------------------------------------------------------------

    def begin_data(self, number: int, flags: int, size: int) -> None:
        """Take note of a DATA frame, which counts against two windows."""
        if self._block is not None:
            raise protocol_fault("DATA amid a header block")
        self._received += size
        self._data_flags = flags
        exchange = self._data = self._exchanges.get(number)
        if exchange is None:
            self._check_known(number)
            if size < _SMALL_BYTES:
                self._patience.lose()
        elif exchange.has_whole_request:
            raise protocol_fault("DATA after the end of a request")
        else:
            exchange.received += size
            if exchange.received > exchange.granted:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more than the window")
            if not size and not flags & END_STREAM:
                self._patience.lose()

    def room(self, most: int) -> memoryview | None:
        """Offer memory for the next bytes of the body, if they are wanted in some place."""
        exchange = self._data
        return None if exchange is None or exchange.is_over else exchange.receiver.room(most)

    def take_data(self, piece: memoryview) -> None:
        """Pass on some of a body, unless nobody wants it any more."""
        exchange = self._data
        if exchange is not None and not exchange.is_over:
            exchange.receiver.take(piece)

    def end_data(self) -> None:
        """Open the windows again, and learn whether the request is whole."""
        if self._granted - self._received < _CONNECTION_WINDOW // 2:
            missing = self._received + _CONNECTION_WINDOW - self._granted
            self._granted += missing
            self._outgoing.send(window_update(0, missing))
        exchange = self._data
        if exchange is None or exchange.is_over:
            return
        if self._data_flags & END_STREAM:
            self._complete(exchange)
        elif self._is_low(exchange) and exchange.receiver.wants_more:
            self._outgoing.grant(exchange, self._limits.window_bytes)

    def _is_low(self, exchange: Exchange) -> bool:
        return exchange.granted - exchange.received < self._limits.window_bytes // 2

    # Everything else ------------------------------------------------------------------------------

    def take_frame(self, kind: int, flags: int, number: int, payload: memoryview) -> None:
        """Take any frame but DATA; kinds nobody knows are ignored."""
        if self._block is not None and kind != CONTINUATION:
            raise protocol_fault("a header block is not ended")
        take = self._take.get(kind)
        if take is not None:
            take(flags, number, payload)
        elif kind == PUSH_PROMISE:
            raise protocol_fault("a client pushes nothing")
        else:
            self._patience.lose()

    def _take_headers(self, flags: int, number: int, payload: memoryview) -> None:
        if not number & 1:
            raise protocol_fault("a request needs an odd stream")
        if flags & (PADDED | WITH_PRIORITY):
            payload = without_extras(flags, payload)
        if flags & END_HEADERS:
            self._take_block(number, flags, bytes(payload))
        else:
            self._block = OpenBlock(number, flags, bytes(payload))

    def _take_continuation(self, flags: int, number: int, payload: memoryview) -> None:
        block = self._block
        if block is None or block.number != number:
            raise protocol_fault("CONTINUATION of nothing")
        block.add(bytes(payload), self._limits)
        if flags & END_HEADERS:
            self._block = None
            self._take_block(number, block.flags, block.joined())

    def _take_block(self, number: int, flags: int, data: bytes) -> None:
        head = self._blocks.decode(data)
        if number <= self._last:
            self._take_trailers(number, flags)
            return
        with self._outgoing.lock:  # so that `leave` tells the right number
            is_refused = self._is_leaving or len(self._exchanges) >= self._limits.streams
            self._last = number if not self._is_leaving else self._last
        if is_refused:
            self._patience.lose(_RESET_COST)
            self._refuse_exchange(number)
            return
        window = self._terms.initial_window
        exchange = Exchange(number, self._outgoing, window, self._limits.window_bytes)
        exchange.has_whole_request = bool(flags & END_STREAM)
        self._exchanges[number] = exchange
        exchange.receiver = self._open_exchange(exchange, head)
        if flags & END_STREAM and not exchange.is_over:
            self._complete(exchange)

    def _refuse_exchange(self, number: int) -> None:
        frames = reset(number, ErrorCode.REFUSED_STREAM)
        if self._is_leaving:  # it may not have been told
            frames = goaway(self._last, ErrorCode.NO_ERROR) + frames
        self._outgoing.send(frames)

    def _take_trailers(self, number: int, flags: int) -> None:
        exchange = self._exchanges.get(number)
        if exchange is None:
            self._patience.lose()
        elif exchange.has_whole_request or not flags & END_STREAM:
            raise protocol_fault("a second header block amid a request")
        else:
            self._complete(exchange)

    def _complete(self, exchange: Exchange) -> None:
        exchange.has_whole_request = True
        self._patience.regain()
        exchange.receiver.end()

    def _take_priority(self, _: int, __: int, payload: memoryview) -> None:
        self._patience.lose()
        check_size(payload, PRIORITY_BYTES)

    def _take_reset(self, _: int, number: int, payload: memoryview) -> None:
        check_size(payload, NUMBER.size)
        self._check_known(number)
        self._patience.lose(_RESET_COST)
        exchange = self._exchanges.get(number)
        if exchange is not None:
            self._outgoing.drop(exchange)

    def _take_ping(self, flags: int, number: int, payload: memoryview) -> None:
        check_size(payload, _PING_BYTES)
        if number:
            raise protocol_fault("PING of a stream")
        self._patience.lose()
        if not flags & ACK:
            self._outgoing.send(frame(PING, ACK, 0, bytes(payload)))

    def _take_goaway(self, _: int, __: int, payload: memoryview) -> None:
        """The peer opens no further exchange; it closes the connection itself."""
        self._patience.lose()
        if len(payload) < 2 * NUMBER.size:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "short GOAWAY")

    def _check_known(self, number: int) -> None:
        """Refuse what is about a stream that never began; one that is over is no fault."""
        if not number & 1 or (number > self._last and not self._is_leaving):
            raise protocol_fault(f"stream {number} was never opened")
