"""Ways of RTP packets to one reader: inside its RTSP connection, or as UDP datagrams."""

import asyncio
import struct
from collections import deque
from typing import Protocol

from camfleet_capture.rtsp.packetiser import PacketGroup

_BURST_BYTES = 48_000
_BURST_PAUSE_S = 0.003


class Output(Protocol):
    """Where a reader's packets go; nothing here ever waits."""

    @property
    def backlog_bytes(self) -> int:
        """Bytes taken and not yet sent."""

    def send(self, group: PacketGroup) -> None:
        """Send the packets of one picture."""

    def send_report(self, report: bytes) -> None:
        """Send an RTCP packet."""

    def close(self) -> None:
        """Forget what is not sent."""


class InterleavedOutput:
    """Packets in the RTSP connection itself, on two of its channels."""

    def __init__(self, transport: asyncio.WriteTransport, rtp: int, rtcp: int) -> None:
        self._transport = transport
        self._rtp, self._rtcp = rtp, rtcp

    @property
    def backlog_bytes(self) -> int:
        """Bytes the connection has not taken yet."""
        return self._transport.get_write_buffer_size()

    def send(self, group: PacketGroup) -> None:
        """Write all packets at once."""
        self._transport.write(group.framed(self._rtp))

    def send_report(self, report: bytes) -> None:
        """Write on the control channel."""
        self._transport.write(struct.pack("!cBH", b"$", self._rtcp, len(report)) + report)

    def close(self) -> None:
        """Leave the connection open: it belongs to the session."""


class UdpOutput:
    """Datagrams to a reader's pair of ports, spaced so that its socket buffer keeps up."""

    def __init__(
        self,
        sockets: tuple[asyncio.DatagramTransport, asyncio.DatagramTransport],
        host: str,
        ports: tuple[int, int],
    ) -> None:
        self._rtp_socket, self._rtcp_socket = sockets
        self._rtp_address, self.rtcp_address = (host, ports[0]), (host, ports[1])
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def backlog_bytes(self) -> int:
        """Bytes of packets that wait for their turn."""
        return self._waiting_bytes

    def send(self, group: PacketGroup) -> None:
        """Queue the packets; send as many as fit in a burst."""
        self._waiting.extend(group.packets)
        self._waiting_bytes += sum(map(len, group.packets))
        if self._timer is None:
            self._send_burst()

    def send_report(self, report: bytes) -> None:
        """Send at once to the control port."""
        self._rtcp_socket.sendto(report, self.rtcp_address)

    def close(self) -> None:
        """Drop the queue."""
        self._waiting.clear()
        if self._timer:
            self._timer.cancel()

    def _send_burst(self) -> None:
        self._timer = None
        sent = 0
        while self._waiting and sent < _BURST_BYTES:
            packet = self._waiting.popleft()
            self._rtp_socket.sendto(packet, self._rtp_address)
            sent += len(packet)
        self._waiting_bytes -= sent
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_BURST_PAUSE_S, self._send_burst)
