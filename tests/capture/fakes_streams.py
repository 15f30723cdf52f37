"""A server of endless MPEG-TS over HTTP, as good or bad as a network makes it."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from serving_thread import in_thread

PACKET_BYTES = 188
Harm = Callable[[bytes], bytes]


def untouched(packet: bytes) -> bytes:
    return packet


def corrupting(share: float) -> Harm:
    """Spoil the payload of this share of the packets."""
    dice = random.Random(3)

    def harm(packet: bytes) -> bytes:
        if dice.random() > share:
            return packet
        return packet[:20] + dice.randbytes(PACKET_BYTES - 20)

    return harm


def write_textured_stream(path: Path, pictures: int = 60) -> Path:
    """Write pictures full of detail, whose key pictures fill many packets."""
    texture = np.random.default_rng(5).integers(0, 255, (160, 320, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv420p"
        stream.options = {"preset": "veryfast", "x264-params": "keyint=15:min-keyint=15:bframes=0"}
        for number in range(pictures):
            frame = VideoFrame.from_ndarray(np.roll(texture, number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class StreamServer(ThreadingHTTPServer):
    """Sends its clips one after the other, over and over, each in its own time."""

    daemon_threads = True

    def __init__(self, clips: list[tuple[Path, float]]) -> None:
        super().__init__(("127.0.0.1", 0), _Stream)
        self.clips = [(path.read_bytes(), length_s) for path, length_s in clips]
        self.over = threading.Event()
        self.harm: Harm = untouched

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/live.ts"


class _Stream(BaseHTTPRequestHandler):
    server: StreamServer

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        while not self.server.over.is_set():
            for content, length_s in self.server.clips:
                if not self._send(content, length_s):
                    return

    def _send(self, content: bytes, length_s: float) -> bool:
        starts = range(0, len(content), PACKET_BYTES)
        for start in starts:
            try:
                self.wfile.write(self.server.harm(content[start : start + PACKET_BYTES]))
            except OSError:  # the reader has left
                return False
            if self.server.over.wait(length_s / len(starts)):
                return False
        return True

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def stream_server(*clips: tuple[Path, float]) -> Iterator[StreamServer]:
    with in_thread(StreamServer([*clips])) as server:
        try:
            yield server
        finally:
            server.over.set()
