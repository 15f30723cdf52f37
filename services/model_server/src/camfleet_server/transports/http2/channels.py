"""The bytes of one connection: as they are, or under TLS. One thread reads, any thread writes."""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from typing import Any, Protocol

_CHUNK_BYTES = 1 << 16
_STALLED_S = 20  # a peer that takes nothing for so long is given up
_PROBED_AFTER_S = 60  # a silent peer is asked by TCP itself whether it is still there


class Channel(Protocol):
    """Bytes both ways; every method raises OSError once the connection is lost."""

    @property
    def descriptor(self) -> int | None:
        """What can be polled; None where bytes may have come that no poll tells of."""
        ...

    def open(self) -> None:
        """Do what comes before the first byte; the reading thread."""
        ...

    def receive(self, parts: Sequence[memoryview]) -> int:
        """Wait for bytes, which fill one part after the other; 0 at the end."""
        ...

    def has_bytes(self) -> bool:
        """Tell whether bytes have come that nobody received yet."""
        ...

    def send(self, data: bytes) -> None:
        """Send all of it; callers take turns."""
        ...

    def has_room(self) -> bool:
        """Tell whether a short frame can be sent without waiting for the peer."""
        ...

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        ...

    def cut(self) -> None:
        """Wake who reads or writes: the connection is over."""
        ...

    def close(self) -> None:
        """Give the socket back; nobody uses it any more."""
        ...


class PlainChannel:
    """Bytes as they are."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.descriptor = sock.fileno()
        _tune(sock)

    def open(self) -> None:
        """Do nothing."""

    def receive(self, parts: Sequence[memoryview]) -> int:
        """Wait for bytes, which fill one part after the other; 0 at the end."""
        if len(parts) == 1:
            return self._socket.recv_into(parts[0])
        return self._socket.recvmsg_into(parts)[0]

    def has_bytes(self) -> bool:
        """Tell whether bytes have come that nobody received yet."""
        return _is_ready(self._socket, select.POLLIN)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def has_room(self) -> bool:
        """Tell whether a short frame can be sent without waiting for the peer."""
        return _is_ready(self._socket, select.POLLOUT)

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        _shut_down(self._socket, socket.SHUT_WR)

    def cut(self) -> None:
        """Wake who reads or writes."""
        _shut_down(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


class TlsChannel:
    """Bytes under TLS, en- and decrypted in memory: an SSL object must not be used by two threads.

    What was encrypted first must be sent first, so senders hold `_sending` over both; who reads
    holds only `_crypto`, and never while it waits.
    """

    descriptor = None  # decrypted bytes may wait in memory

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._socket = sock
        _tune(sock)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._crypto = threading.Lock()
        self._sending = threading.Lock()

    def open(self) -> None:
        """Shake hands.

        Raises:
            OSError: the peer speaks no TLS, or not HTTP/2 under it.
        """
        while True:
            try:
                with self._crypto:  # a server that stops says so to this peer as well
                    self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fetch()
            else:
                break
        self._flush()
        if self._tls.selected_alpn_protocol() != "h2":
            raise OSError("the client did not ask for HTTP/2 by ALPN")

    def receive(self, parts: Sequence[memoryview]) -> int:
        """Wait for bytes, which fill one part after the other; 0 at the end."""
        while True:
            with self._crypto:
                count, is_over = self._decrypt(parts)
                has_answer = self._outgoing.pending > 0
            if count or is_over:
                return count
            if has_answer:
                self._flush()
            self._fetch()

    def has_bytes(self) -> bool:
        """Tell whether bytes have come that nobody received yet."""
        with self._crypto:
            is_fetched = self._incoming.pending > 0 or self._tls.pending() > 0
        return is_fetched or _is_ready(self._socket, select.POLLIN)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        with self._sending:
            with self._crypto:
                self._tls.write(data)
                encrypted = self._outgoing.read()
            self._socket.sendall(encrypted)

    def has_room(self) -> bool:
        """Tell whether a short frame can be sent without waiting for the peer."""
        return _is_ready(self._socket, select.POLLOUT)

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        _shut_down(self._socket, socket.SHUT_WR)

    def cut(self) -> None:
        """Wake who reads or writes."""
        _shut_down(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _decrypt(self, parts: Sequence[memoryview]) -> tuple[int, bool]:
        """Fill the parts with what has come; tells how much, and whether the end is reached."""
        count = 0
        try:
            for part in parts:
                free = part
                while free:
                    read: Any = self._tls.read(len(free), free)  # a count, whatever typeshed says
                    count += read
                    free = free[read:]
        except ssl.SSLZeroReturnError:
            return count, True
        except ssl.SSLWantReadError:
            pass
        return count, False

    def _fetch(self) -> None:
        data = self._socket.recv(_CHUNK_BYTES)
        with self._crypto:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()
        if not data:
            raise ConnectionResetError("the peer is gone")

    def _flush(self) -> None:
        with self._sending:
            with self._crypto:
                encrypted = self._outgoing.read()
            self._socket.sendall(encrypted)


def _tune(sock: socket.socket) -> None:
    """Send at once, and notice peers that vanished."""
    sock.setblocking(True)
    limit = struct.pack("ll", _STALLED_S, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBED_AFTER_S)


def _is_ready(sock: socket.socket, event: int) -> bool:
    """Ask the system; there is room once a third of what it keeps for the peer is free."""
    if sock.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(0))


def _shut_down(sock: socket.socket, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        return  # it is over already
