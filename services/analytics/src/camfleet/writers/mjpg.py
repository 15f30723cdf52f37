"""Frames as Motion JPEG over HTTP, for browsers and as a camera of other programs."""

import http.server
import threading
from typing import Self
from urllib.parse import parse_qs, urlsplit

import cv2

from camfleet.images import Image, check_image
from camfleet.writers.errors import CannotWrite, WriterError
from camfleet.writers.exposure import Exposure
from camfleet_contracts.access import names_this_machine

PATH = "/stream.mjpg"
_BOUNDARY = "camfleet-frame"
_PATIENCE_S = 1.0  # how often a waiting reader is looked after


class _Newest:
    """The newest JPEG. One writer, any number of readers, each at its own pace."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jpeg, self._number = b"", 0
        self.readers = 0
        self.is_over = False

    def put(self, jpeg: bytes) -> None:
        with self._changed:
            self._jpeg, self._number = jpeg, self._number + 1
            self._changed.notify_all()

    def after(self, number: int) -> tuple[bytes, int]:
        """The newest one once there is a newer one than `number`; as it is after a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number or self.is_over, _PATIENCE_S)
            return self._jpeg, self._number

    def come(self, difference: int) -> None:
        with self._changed:
            self.readers += difference

    def end(self) -> None:
        with self._changed:
            self.is_over = True
            self._changed.notify_all()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], newest: _Newest, exposure: Exposure) -> None:
        self.newest, self.exposure = newest, exposure
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """A reader that leaves is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = 20.0  # in seconds, for a request to come and for a reader to take a picture

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if not self._is_admitted(parse_qs(parts.query).get("apiKey", [""])[0]):
            return
        if parts.path not in {"/", PATH}:
            self.send_error(404, f"the stream is at {PATH}")
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.server.newest.come(1)
        try:
            self._stream()
        except OSError:
            self.close_connection = True  # the reader left
        finally:
            self.server.newest.come(-1)

    def log_message(self, *_: object) -> None:
        """Say nothing: it is the application's terminal."""

    def _is_admitted(self, key: str) -> bool:
        exposure, headers = self.server.exposure, self.headers
        if not exposure.admits_network(self.client_address[0]):
            self.send_error(403, "this network is not in ALLOW_CIDR")
            return False
        if not exposure.key and not names_this_machine(headers.get("Host", "localhost")):
            self.send_error(403, "without a key only 127.0.0.1 and localhost are answered")
            return False
        if exposure.admits(headers.get("Authorization", ""), headers.get("x-api-key", "") or key):
            return True
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="camfleet"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _stream(self) -> None:
        number = -1
        while not self.server.newest.is_over:
            jpeg, newest = self.server.newest.after(max(number, 0))
            if newest == number or not jpeg:
                continue
            number = newest
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
            self.wfile.write(head.encode() + b"\r\n" + jpeg + b"\r\n")


class MjpgVideoWriter:
    """Shows frames at `address`; a reader that is slow misses frames and delays nobody."""

    def __init__(self, port: int = 8090, host: str = "127.0.0.1", quality: int = 80) -> None:
        """Listen at once.

        Args:
            port: 0 takes a free one.
            host: beyond this machine, CAMFLEET_API_KEY and ALLOW_CIDR must be set.
            quality: of the JPEGs, 1 to 100.

        Raises:
            CannotWrite: the port is taken, or `host` is not protected as it must be.
        """
        self._newest, self._quality = _Newest(), quality
        try:
            self._server = _Server((host, port), self._newest, Exposure.of(host))
        except OSError as error:
            raise CannotWrite(
                f"http://{host}:{port}: {error.strerror or error}; choose another port, 0 is any"
            ) from error
        self.address = f"http://{host}:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="mjpg-writer", daemon=True
        )
        self._thread.start()

    def write_frame(self, frame: Image) -> None:
        """Show a frame, (H, W, 3) BGR; nothing is encoded while nobody looks.

        Raises:
            BadImage: it is not an image.
            WriterError: the writer is closed.
        """
        check_image(frame, self.address)
        if self._newest.is_over:
            raise WriterError(f"{self.address}: is closed; begin another MjpgVideoWriter")
        if self._newest.readers:
            _, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
            self._newest.put(jpeg.tobytes())

    def close(self) -> None:
        """End the readers' streams and give the port back."""
        if self._newest.is_over:
            return
        self._newest.end()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
