"""One RTSP session: a transport that was set up, and who plays through it."""

import secrets
from collections.abc import Callable

from camfleet_capture.rtsp.broadcast import Broadcast, Reader
from camfleet_capture.rtsp.outputs import InterleavedOutput, Output, UdpOutput
from camfleet_capture.rtsp.sdp import TRACK


class Session:
    """Belongs to a connection, and ends with it.

    Args:
        same_as: id of the session whose transport this one replaces; empty: it is a new one.
    """

    def __init__(self, output: Output, broadcast: Broadcast, same_as: str = "") -> None:
        self.id = same_as or secrets.token_hex(8)
        self._output, self._broadcast = output, broadcast
        self._reader: Reader | None = None
        self._endings = broadcast.endings

    @property
    def is_outlived(self) -> bool:
        """Whether its stream was over before it played."""
        return self._broadcast.endings != self._endings

    @property
    def plays(self) -> bool:
        """Whether packets are sent."""
        return self._reader is not None

    @property
    def interleaved(self) -> InterleavedOutput | None:
        """The output, while packets are sent through the connection itself."""
        if self._reader and isinstance(self._output, InterleavedOutput):
            return self._output
        return None

    @property
    def rtcp_address(self) -> tuple[str, int] | None:
        """Where a reader over UDP sends its reports from."""
        return self._output.rtcp_address if isinstance(self._output, UdpOutput) else None

    def play(self, uri: str, reader: Callable[[Output], Reader]) -> tuple[str, Callable[[], None]]:
        """Return the RTP-Info header and the function that starts sending."""
        start = self._broadcast.prepare()
        info = f"RTP-Info: url={uri.rstrip('/')}/{TRACK}"
        if start:
            info += f";seq={start[0].sequence};rtptime={start[0].rtp_time}"
        playing = reader(self._output)

        def begin() -> None:
            self._reader = playing
            self._broadcast.join(playing, start)

        return info, begin

    def end(self) -> None:
        """Stop sending."""
        if self._reader:
            self._broadcast.leave(self._reader)
            self._reader = None
