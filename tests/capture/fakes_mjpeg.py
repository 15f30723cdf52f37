"""A network camera that shows numbered pictures as MJPEG over HTTP."""

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

from fakes_capture import LENGTH, numbered_picture
from serving_thread import in_thread

BOUNDARY = "picture"
FPS = 12  # no rate that a reader would guess


def jpeg_of(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(numbered_picture(number)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


class MjpegCamera(ThreadingHTTPServer):
    """Serves /video to who knows the password; each reader sees 0, 1, 2 ... from the beginning.

    /picture and /picture.jpg give one picture each time: 0, 1, 2 ...
    """

    daemon_threads = True

    def __init__(self, port: int, login: str, interval_s: float) -> None:
        super().__init__(("127.0.0.1", port), _Pictures)
        self.over, self.interval_s = threading.Event(), interval_s
        self.pictures = [jpeg_of(number) for number in range(LENGTH)]
        self.asked = 0
        self.login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/video"


class _Pictures(BaseHTTPRequestHandler):
    server: MjpegCamera

    def do_GET(self) -> None:
        if self.path.startswith("/picture"):
            self._send_one()
            return
        if self.path != "/video":
            self.send_error(404)
            return
        if self.server.login and self.headers["Authorization"] != self.server.login:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={BOUNDARY}")
        self.end_headers()
        number = 0
        while not self.server.over.is_set():
            jpeg = self.server.pictures[number % len(self.server.pictures)]
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            )
            try:
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:  # the reader has left
                return
            number += 1
            self.server.over.wait(self.server.interval_s)

    def _send_one(self) -> None:
        jpeg = self.server.pictures[self.server.asked % len(self.server.pictures)]
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(jpeg)))
        self.end_headers()
        self.wfile.write(jpeg)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def mjpeg_camera(
    port: int = 0, login: str = "", interval_s: float = 1 / FPS
) -> Iterator[MjpegCamera]:
    """Run the camera until the block ends; port 0 is the system's choice."""
    with in_thread(MjpegCamera(port, login, interval_s)) as camera:
        try:
            yield camera
        finally:
            camera.over.set()
