"""Datagrams to one address, many of them with one call where the system cuts them apart."""

import socket
import struct

_UDP_SEGMENT = 103  # of Linux, which Python's socket module does not name


class DatagramSender:
    """Sends by a socket that does not block and that others use too."""

    def __init__(self, way: socket.socket, address: tuple[str, int]) -> None:
        self._way, self._address = way, address
        self._is_cut = True

    def send(self, content: bytes, size: int) -> int:
        """Send datagrams of `size` bytes, the last one of the rest; return the bytes taken.

        What is not taken begins with a whole datagram. One that cannot be sent at all is lost, as
        any may be.
        """
        if self._is_cut and len(content) > size:
            cut = socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("=H", size)
            try:
                return self._way.sendmsg([content], [cut], 0, self._address)
            except BlockingIOError:
                return 0
            except OSError:  # this system, or the interface to this address, cannot
                self._is_cut = False
        return self._send_one_by_one(content, size)

    def _send_one_by_one(self, content: bytes, size: int) -> int:
        for start in range(0, len(content), size):
            try:
                self._way.sendto(content[start : start + size], self._address)
            except BlockingIOError:
                return start
            except OSError:
                continue
        return len(content)
