"""What the peer lets us send: its settings, and the windows it opens."""

from collections.abc import Callable

from camfleet_server.transports.http2.frames import (
    ACK,
    DEFAULT_FRAME_BYTES,
    DEFAULT_WINDOW,
    INITIAL_WINDOW_SIZE,
    LARGEST_FRAME_BYTES,
    LARGEST_WINDOW,
    MAX_FRAME_SIZE,
    NUMBER,
    NUMBER_BITS,
    SETTING,
    SETTINGS,
    ConnectionFault,
    ErrorCode,
    check_size,
    frame,
    protocol_fault,
)
from camfleet_server.transports.http2.limits import Patience
from camfleet_server.transports.http2.outgoing import Outgoing

_SMALL_BYTES = 1024  # windows opened by less are work for little
_SHIFTED_FOR_ONE = 16  # windows that are as much work as a frame


class Terms:
    """Takes SETTINGS and WINDOW_UPDATE of one connection; all in the reading thread."""

    def __init__(
        self, outgoing: Outgoing, patience: Patience, check_known: Callable[[int], None]
    ) -> None:
        self._outgoing = outgoing
        self._patience = patience
        self._check_known = check_known
        self.initial_window = DEFAULT_WINDOW  # that the next exchange begins with

    def take_settings(self, flags: int, number: int, payload: memoryview) -> None:
        """Follow what the peer sets, and tell it so."""
        if number or len(payload) % SETTING.size or (flags & ACK and payload):
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "bad SETTINGS")
        self._patience.lose()
        if flags & ACK:
            return
        wanted = dict(SETTING.iter_unpack(payload))  # the last one of each
        with self._outgoing.lock:  # gRPC's clients refuse what larger windows let through before
            for name, value in wanted.items():
                self._take_setting(name, value)
            self._outgoing.send(frame(SETTINGS, ACK, 0))
        self._outgoing.flush()

    def _take_setting(self, name: int, value: int) -> None:
        if name == INITIAL_WINDOW_SIZE:
            if value > LARGEST_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31-1")
            difference, self.initial_window = value - self.initial_window, value
            if difference:
                self._patience.lose(len(self._outgoing.exchanges) // _SHIFTED_FOR_ONE)
                self._outgoing.shift_windows(difference)
        elif name == MAX_FRAME_SIZE:
            if not DEFAULT_FRAME_BYTES <= value <= LARGEST_FRAME_BYTES:
                raise protocol_fault(f"a longest frame of {value} bytes")
            self._outgoing.set_frame_bytes(value)

    def take_window(self, _: int, number: int, payload: memoryview) -> None:
        """Send on what the peer now lets through, of one exchange or of the whole connection."""
        check_size(payload, NUMBER.size)
        increment = NUMBER.unpack(payload)[0] & NUMBER_BITS
        if increment < _SMALL_BYTES:
            self._patience.lose()
        exchange = None
        if number:
            self._check_known(number)
            exchange = self._outgoing.exchanges.get(number)
            if exchange is None:
                return
        if not increment or not self._outgoing.open_window(exchange, increment):
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "no window, or above 2^31-1")
