"""An RTSP server of one stream over TCP (RTP interleaved, RFC 2326 section 10.12).

UDP is answered with 461, after which FFmpeg, VLC and GStreamer ask for TCP.
"""

import re
import secrets
import socket
import socketserver
import threading
from urllib.parse import urlsplit

from camfleet.writers.exposure import Exposure
from camfleet.writers.rtsp.broadcast import Broadcast, Reader
from camfleet.writers.rtsp.requests import BadRequest, Request, answer, read_request

_DESCRIBE_TIMEOUT_S = 10.0
_CHANNELS = re.compile(r"interleaved=(\d{1,3})")
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"


class RtspServer(socketserver.ThreadingTCPServer):
    """Listens once made; `serve_forever()` belongs into a thread."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], path: str, broadcast: Broadcast) -> None:
        """Raises OSError when the port is taken, CannotWrite when it would be unprotected."""
        self.path, self.broadcast = path, broadcast
        self.exposure = Exposure.of(address[0])
        self.open_sockets: set[socket.socket] = set()
        super().__init__(address, _Connection)

    def close(self) -> None:
        """Hang up on everybody and give the port back."""
        self.broadcast.end()
        self.shutdown()
        self.server_close()
        for open_socket in tuple(self.open_sockets):
            _hang_up(open_socket)

    def handle_error(self, *_: object) -> None:
        """A reader that leaves is no news."""


class _Connection(socketserver.StreamRequestHandler):
    server: RtspServer
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.request)
        self._session, self._channel = secrets.token_hex(8), 0
        self._writing = threading.Lock()
        self._reader: Reader | None = None

    def finish(self) -> None:
        if self._reader is not None:
            self.server.broadcast.leave(self._reader)
        self.server.open_sockets.discard(self.request)
        super().finish()

    def handle(self) -> None:
        if not self.server.exposure.admits_network(self.client_address[0]):
            return
        try:
            while (request := read_request(self.rfile)) is not None:
                self._send(self._answer(request))
                if request.method == "PLAY" and self._reader is not None:
                    self._play(self._reader)
                if request.method == "TEARDOWN":
                    return
        except (BadRequest, OSError):
            return

    def _answer(self, request: Request) -> bytes:
        if request.method == "OPTIONS":
            return answer(200, request, {"Public": _METHODS})
        if not self.server.exposure.admits(request.headers.get("authorization", "")):
            return answer(401, request, {"WWW-Authenticate": 'Basic realm="camfleet"'})
        answers = {
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._start,
            "GET_PARAMETER": self._acknowledge,
            "TEARDOWN": self._acknowledge,
        }
        found = answers.get(request.method)
        return answer(501, request) if found is None else found(request)

    def _describe(self, request: Request) -> bytes:
        if urlsplit(request.url).path.strip("/") != self.server.path:
            return answer(404, request)
        description = self.server.broadcast.description(_DESCRIBE_TIMEOUT_S)
        if not description:
            return answer(503, request)
        return answer(200, request, {"Content-Base": request.url.rstrip("/") + "/"}, description)

    def _set_up(self, request: Request) -> bytes:
        transport = request.headers.get("transport", "")
        if "RTP/AVP/TCP" not in transport:
            return answer(461, request)
        channel = _CHANNELS.search(transport)
        self._channel = min(int(channel[1]) if channel else 0, 254)
        chosen = f"RTP/AVP/TCP;unicast;interleaved={self._channel}-{self._channel + 1}"
        if self._reader is None:
            self._reader = self.server.broadcast.join()
        return answer(200, request, {"Transport": chosen, "Session": self._session})

    def _start(self, request: Request) -> bytes:
        if self._reader is None:
            return answer(454, request)
        return self._acknowledge(request)

    def _acknowledge(self, request: Request) -> bytes:
        return answer(200, request, {"Session": self._session})

    def _play(self, reader: Reader) -> None:
        sending = threading.Thread(
            target=self._send_frames, args=(reader,), name="rtsp-writer-reader", daemon=True
        )
        sending.start()

    def _send_frames(self, reader: Reader) -> None:
        try:
            while (frame := reader.take()) is not None:
                self._send(b"".join(self._interleaved(packet) for packet in frame.packets))
        except OSError:
            pass  # it left; its connection ends in its own thread
        finally:
            _hang_up(self.request)

    def _interleaved(self, packet: bytes) -> bytes:
        return b"$" + bytes((self._channel,)) + len(packet).to_bytes(2) + packet

    def _send(self, content: bytes) -> None:
        with self._writing:
            self.request.sendall(content)


def _hang_up(open_socket: socket.socket) -> None:
    try:
        open_socket.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is gone already
