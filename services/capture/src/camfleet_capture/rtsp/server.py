"""The RTSP server: accepts connections and owns what they share."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from camfleet_capture.rtsp.auth import Authenticator
from camfleet_capture.rtsp.broadcast import Broadcast
from camfleet_capture.rtsp.connection import REQUEST_LIMIT_BYTES, Connection
from camfleet_capture.rtsp.limits import CONNECTION_LIMIT, AddressLimits
from camfleet_capture.rtsp.outputs import UdpSockets
from camfleet_capture.rtsp.requests import format_response
from camfleet_capture.stream import Stream
from camfleet_contracts.logs import get_logger

_PORT_PAIR_TRIES = 50
_HANDSHAKE_LIMIT_S = 10.0
_ASKED_AFTER_S, _ASKED_EVERY_S, _ASKED = 60, 10, 6  # what is silent; then it is given up

logger = get_logger(__name__)


class Directory(Protocol):
    """Knows the streams by their path."""

    def find(self, path: str) -> Stream | None:
        """Return the stream of this path."""

    def fault(self, path: str) -> str:
        """Say why there is no stream at this path, or why it shows nothing."""


class _Datagrams(asyncio.DatagramProtocol):
    """Notes who sends RTCP: that keeps a UDP session alive."""

    def __init__(self) -> None:
        self.heard_at: dict[tuple[str, int], float] = {}

    def datagram_received(self, _data: bytes, addr: tuple[str, int]) -> None:
        if len(self.heard_at) > 4 * CONNECTION_LIMIT:
            self.heard_at.clear()
        self.heard_at[addr[0], addr[1]] = time.monotonic()


class RtspServer:
    """Serves the streams of a directory over TCP and UDP.

    Args:
        authenticator: None lets everybody in.
        admits: tells whether an address may connect at all.
    """

    def __init__(
        self,
        directory: Directory,
        authenticator: Authenticator | None = None,
        admits: Callable[[str], bool] = lambda _address: True,
    ) -> None:
        self.authenticator = authenticator
        self.limits = AddressLimits(time.monotonic)
        self._directory, self._admits = directory, admits
        self._broadcasts: dict[tuple[Stream, bool], Broadcast] = {}
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.Server | None = None
        self._udp: UdpSockets | None = None
        self._udp_transports: list[asyncio.DatagramTransport] = []
        self._udp_lock = asyncio.Lock()
        self._control = _Datagrams()
        self._address = ""
        self.find, self.fault = directory.find, directory.fault

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections on a socket that is bound already."""
        self._address = listener.getsockname()[0]
        _notice_vanished_peers(listener)
        handshake_s = _HANDSHAKE_LIMIT_S if tls else None
        self._server = await asyncio.start_server(
            self._accept,
            sock=listener,
            limit=REQUEST_LIMIT_BYTES,
            ssl=tls,
            ssl_handshake_timeout=handshake_s,
        )

    async def stop(self) -> None:
        """Hang up on everybody and close the ports."""
        if self._server:
            self._server.close()
        for connection in self._connections.values():
            connection.hang_up()
        if self._connections:
            _, waiting = await asyncio.wait(self._connections, timeout=1)
            for task in waiting:  # for the first picture of a camera
                task.cancel()
        for datagrams in self._udp_transports:
            datagrams.close()

    def broadcast(self, stream: Stream, *, with_delimiter: bool) -> Broadcast:
        """Return the packetisation that readers of this kind share."""
        key = (stream, with_delimiter)
        if key not in self._broadcasts:
            self._broadcasts[key] = Broadcast(stream, with_delimiter=with_delimiter)
        return self._broadcasts[key]

    def forget(self, stream: Stream) -> None:
        """Hang up on the readers of a stream that is gone."""
        stream.end()
        for with_delimiter in (False, True):
            self._broadcasts.pop((stream, with_delimiter), None)

    async def udp_sockets(self) -> UdpSockets:
        """Return the pair of UDP sockets (even port and the next), opened on first use."""
        async with self._udp_lock:
            if self._udp is None:
                self._udp = await self._open_udp()
            return self._udp

    def last_control_packet(self, address: tuple[str, int]) -> float:
        """Return time.monotonic() of the last RTCP packet from there, 0 for none."""
        return self._control.heard_at.get(address, 0.0)

    async def _open_udp(self) -> UdpSockets:
        """Open the pair; what comes in on it is the event loop's."""
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        loop = asyncio.get_running_loop()
        for _ in range(_PORT_PAIR_TRIES):
            rtp, rtcp = socket.socket(family, socket.SOCK_DGRAM), None
            rtp.bind((self._address, 0))
            port = rtp.getsockname()[1]
            with suppress(OSError):
                rtcp = socket.socket(family, socket.SOCK_DGRAM)
                rtcp.bind((self._address, port + 1))
                if port % 2 == 0:
                    first, _ = await loop.create_datagram_endpoint(_Datagrams, sock=rtp)
                    second, _ = await loop.create_datagram_endpoint(
                        lambda: self._control, sock=rtcp
                    )
                    self._udp_transports = [first, second]
                    return UdpSockets(rtp, rtcp)
            rtp.close()
            if rtcp:
                rtcp.close()
        raise OSError("no free pair of UDP ports")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if refusal := self._refusal(peer[0]) if peer else 453:
            writer.write(format_response(refusal, "0"))
            writer.close()
            return
        connection = Connection(self, reader, writer)
        task = asyncio.create_task(connection.serve(), name=f"rtsp-{peer[0]}")
        self._connections[task] = connection
        self.limits.enter(peer[0])
        try:
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()
        except Exception:  # one client's request must not cost the others their server
            logger.exception("rtsp connection failed", peer=peer[0])
            connection.hang_up()
        finally:
            self.limits.leave(peer[0])
            del self._connections[task]

    def _refusal(self, address: str) -> int:
        """Return the code that a new connection is refused with; 0 when it may stay."""
        if not self._admits(address):
            return 403
        return 0 if self.limits.admits(address) else 453


def _notice_vanished_peers(listener: socket.socket) -> None:
    """Let TCP itself ask who is silent whether it is still there, as no camera may send for hours.

    What is sent is waited for as long to arrive: TCP's own patience is 15 minutes, in which a
    reader of a bad network leaves a connection for every time that it connects again. What is
    accepted inherits that.
    """
    limit_ms = 1000 * (_ASKED_AFTER_S + _ASKED * _ASKED_EVERY_S)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ASKED_AFTER_S)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASKED_EVERY_S)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _ASKED)
