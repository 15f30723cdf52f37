"""An HTTP server that stands for where model files come from, good and bad."""

import http.server
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from serving_thread import in_thread


class Upstream:
    """What it serves, and what it is to do wrong."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_after: list[int] = []  # each item cuts one answer after so many bytes
        self.knows_ranges = True
        self.marks: dict[str, str] = {}  # ETag of a path
        self.moved: dict[str, str] = {}  # redirects a path
        self.says_length = True
        self.requests: list[tuple[str, str]] = []  # path and Range header
        self.url = ""


@contextmanager
def serving() -> Iterator[Upstream]:
    """Run the server on a free port until the block ends."""
    upstream = Upstream()

    class Handler(_Handler):
        served = upstream

    with in_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        upstream.url = f"http://127.0.0.1:{server.server_port}"
        yield upstream


class _Handler(http.server.BaseHTTPRequestHandler):
    served: Upstream

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        path = self.path.partition("?")[0]
        self.served.requests.append((self.path, wanted))
        if path in self.served.moved:
            self.send_response(302)
            self.send_header("Location", self.served.moved[path])
            self.end_headers()
            return
        content = self.served.files.get(self.path, self.served.files.get(path))
        if content is None:
            self.send_error(404)
            return
        self._send(content, self._start(wanted, self.served.marks.get(path, "")))

    def _start(self, wanted: str, mark: str) -> int:
        is_same = self.headers.get("If-Range", mark) == mark
        if not (wanted and self.served.knows_ranges and is_same):
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))

    def _send(self, content: bytes, start: int) -> None:
        self.send_response(206 if start else 200)
        if self.served.says_length:
            self.send_header("Content-Length", str(len(content) - start))
        if start:
            size = len(content)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if mark := self.served.marks.get(self.path):
            self.send_header("ETag", mark)
        self.end_headers()
        cut = self.served.cut_after.pop(0) if self.served.cut_after else len(content)
        with suppress(ConnectionError):  # who has seen from the headers that it will not do
            self.wfile.write(content[start : start + cut])

    def log_message(self, *_: Any) -> None:
        pass
