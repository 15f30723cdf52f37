"""An HTTP server with whole files and a playlist of HLS that grows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from serving_thread import in_thread

SEGMENT_S = 5


class FileServer(ThreadingHTTPServer):
    """Serves a folder; `/live.m3u8` lists one more of its segments every five seconds."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.segments = sorted(path.name for path in folder.glob("*.ts"))
        self.asked_at: float | None = None
        super().__init__(("127.0.0.1", 0), partial(_Files, directory=str(folder)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def playlist(self) -> bytes:
        self.asked_at = self.asked_at or time.monotonic()
        count = 1 + int((time.monotonic() - self.asked_at) / SEGMENT_S)
        head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{SEGMENT_S}\n"
        listed = [f"#EXTINF:{SEGMENT_S},\n{name}\n" for name in self.segments[:count]]
        return (head + "".join(listed)).encode()


class _Files(SimpleHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        if self.path != "/live.m3u8":
            super().do_GET()
            return
        playlist = self.server.playlist()
        self.send_response(200)
        self.send_header("Content-Length", str(len(playlist)))
        self.end_headers()
        self.wfile.write(playlist)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Run the server until the block ends."""
    with in_thread(FileServer(folder)) as server:
        yield server
