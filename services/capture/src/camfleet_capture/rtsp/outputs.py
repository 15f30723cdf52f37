"""Ways of RTP packets to one reader: inside its RTSP connection, or as UDP datagrams."""

import asyncio
import fcntl
import socket
import struct
import termios
import threading
from collections import deque
from contextlib import suppress
from typing import NamedTuple, Protocol

from camfleet_capture.rtsp.datagrams import DatagramSender
from camfleet_capture.rtsp.packetiser import PacketGroup

_BURST_BYTES = 48_000
_AT_ONCE_BYTES = 40_000  # of a picture: with the headers of its packets still one burst
_BURST_PAUSE_S = 0.003


class Output(Protocol):
    """Where a reader's packets go; nothing here ever waits.

    Who sends holds the stream's lock. It is the event loop, or the source's thread when
    `takes_at_once` has said so.
    """

    @property
    def backlog_bytes(self) -> int:
        """Bytes taken and not yet sent."""

    @property
    def left_bytes(self) -> int:
        """These, and what the system has not brought to the reader yet."""

    def takes_at_once(self, size_bytes: int) -> bool:
        """Whether a picture of this size can be sent by any thread now."""

    def send(self, group: PacketGroup) -> None:
        """Send the packets of one picture."""

    def send_report(self, report: bytes) -> None:
        """Send an RTCP packet."""

    def close(self) -> None:
        """Forget what is not sent; called on the event loop."""


class InterleavedOutput:
    """Packets in the RTSP connection itself, on two of its channels.

    While the connection takes everything, it is written to past the event loop, which need not
    wake; what it does not take goes to the transport, as does all that follows until that is sent.

    Args:
        lock: the stream's.
        is_plain: nothing stands between the transport and its socket.
    """

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        channels: tuple[int, int],
        lock: threading.RLock,
        *,
        is_plain: bool = True,
    ) -> None:
        self._transport, self._lock = transport, lock
        self._rtp, self._rtcp = channels
        self._loop = asyncio.get_running_loop()
        self._may_pass_by = is_plain
        self._socket: socket.socket | None = None
        self._is_clear = False  # nothing lies with the transport
        self._owed: list[bytes] = []  # waits for the event loop to give it to the transport

    @property
    def backlog_bytes(self) -> int:
        """Bytes the connection has not taken yet."""
        if self._is_clear:
            return 0
        return self._transport.get_write_buffer_size() + sum(map(len, self._owed))

    @property
    def left_bytes(self) -> int:
        """Bytes the reader's machine has not taken yet."""
        return sum(map(len, self._owed)) + left_bytes(self._transport)

    def takes_at_once(self, _size_bytes: int) -> bool:
        """Whether all that came before has been taken."""
        return self._is_clear

    def send(self, group: PacketGroup) -> None:
        """Write all packets at once."""
        self._write(group.framed(self._rtp))

    def send_report(self, report: bytes) -> None:
        """Write on the control channel."""
        self._write(struct.pack("!cBH", b"$", self._rtcp, len(report)) + report)

    def answer(self, response: bytes) -> None:
        """Write what belongs to no channel; called on the event loop."""
        with self._lock:
            self._write(response)

    def close(self) -> None:
        """Leave the connection open, and to the transport: it belongs to the session."""
        with self._lock:
            self._pass_on()
            self._is_clear = self._may_pass_by = False
            if self._socket:
                self._socket.close()
                self._socket = None

    def _write(self, content: bytes) -> None:
        if self._is_clear and self._socket:
            if rest := _send_some(self._socket, content):
                self._is_clear = False
                self._owed.append(rest)
                self._loop.call_soon_threadsafe(self._pass_on)
        elif self._owed:
            self._owed.append(content)
        else:
            self._write_by_transport(content)

    def _write_by_transport(self, content: bytes) -> None:
        self._transport.write(content)
        if self._may_pass_by and not self._transport.get_write_buffer_size():
            self._socket = self._socket or _own_socket(self._transport)
            self._is_clear = self._socket is not None

    def _pass_on(self) -> None:
        """Give the transport what is owed to it."""
        with self._lock:
            owed, self._owed = self._owed, []
            if owed:
                self._write_by_transport(b"".join(owed))


def left_bytes(transport: asyncio.WriteTransport) -> int:
    """Return what was written and has not arrived, of which the system may hold megabytes."""
    own = transport.get_extra_info("socket")
    if own is None:  # a TLS connection that has ended
        return 0
    try:
        number = own.fileno()
        (waiting,) = struct.unpack("i", fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4)))
    except (OSError, ValueError):  # it has ended
        return 0
    return int(waiting) + transport.get_write_buffer_size()


def _own_socket(transport: asyncio.WriteTransport) -> socket.socket | None:
    """Return a second handle: the number of the transport's is another's once it has closed."""
    with suppress(OSError):
        own: socket.socket = transport.get_extra_info("socket").dup()
        return own
    return None


def _send_some(connection: socket.socket, content: bytes) -> bytes:
    """Return what the connection does not take; a broken one is the transport's to notice."""
    try:
        return content[connection.send(content) :]
    except OSError:
        return content


class UdpSockets(NamedTuple):
    """The server's pair, which does not block."""

    rtp: socket.socket
    rtcp: socket.socket


class UdpOutput:
    """Datagrams to a reader's pair of ports, spaced so that its socket buffer keeps up."""

    def __init__(
        self, sockets: UdpSockets, host: str, ports: tuple[int, int], lock: threading.RLock
    ) -> None:
        self._lock = lock
        self.rtcp_address = host, ports[1]
        self._rtp = DatagramSender(sockets.rtp, (host, ports[0]))
        self._rtcp = DatagramSender(sockets.rtcp, self.rtcp_address)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[bytes, int]] = deque()  # runs of packets, and their size
        self._waiting_bytes = 0
        self._is_pausing = False

    @property
    def backlog_bytes(self) -> int:
        """Bytes of packets that wait for their turn."""
        return self._waiting_bytes

    @property
    def left_bytes(self) -> int:
        """The same: the system keeps no datagrams for long."""
        return self._waiting_bytes

    def takes_at_once(self, size_bytes: int) -> bool:
        """Whether nothing waits, and the picture is one burst."""
        return not self._waiting and size_bytes <= _AT_ONCE_BYTES

    def send(self, group: PacketGroup) -> None:
        """Queue the packets; send as many as fit in a burst."""
        self._waiting.extend(group.runs)
        self._waiting_bytes += sum(len(run) for run, _ in group.runs)
        if not self._is_pausing:
            self._send_burst()

    def send_report(self, report: bytes) -> None:
        """Send at once to the control port."""
        self._rtcp.send(report, len(report))

    def close(self) -> None:
        """Drop the queue."""
        with self._lock:
            self._waiting.clear()
            self._waiting_bytes = 0

    def _send_burst(self) -> None:
        sent = 0
        while self._waiting and sent + len(self._waiting[0][0]) <= _BURST_BYTES:
            run, size = self._waiting.popleft()
            taken = self._rtp.send(run, size)
            sent += taken
            if taken < len(run):
                self._waiting.appendleft((run[taken:], size))
                break
        self._waiting_bytes -= sent
        self._is_pausing = bool(self._waiting)
        if self._is_pausing:
            self._loop.call_soon_threadsafe(self._loop.call_later, _BURST_PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        with self._lock:
            self._send_burst()
