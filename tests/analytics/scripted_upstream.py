"""An HTTP server that gives the answers it was told to, one after another."""

import http.server
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from serving_thread import in_thread


class Answer(NamedTuple):
    """One answer; a body shorter than its Content-Length is a connection that breaks."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Script:
    """What is answered, and what was asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers
        self.ranges: list[str] = []  # Range and If-Range of each request
        self.url = ""


@contextmanager
def answering(*answers: Answer) -> Iterator[Script]:
    """Run the server on a free port until the block ends."""
    script = Script(list(answers))

    class Handler(_Handler):
        told = script

    with in_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        script.url = f"http://127.0.0.1:{server.server_port}/pets.onnx"
        yield script


def whole(content: bytes, *, cut: int | None = None, **headers: str) -> Answer:
    """All of a file, cut after some bytes where that is said."""
    return Answer(200, _length(len(content)) | _named(headers), content[:cut])


def rest(content: bytes, start: int, *, total: int | None = None, **headers: str) -> Answer:
    """What follows `start`, with its range."""
    size = len(content) if total is None else total
    place = {"Content-Range": f"bytes {start}-{len(content) - 1}/{size}"}
    body = content[start:]
    return Answer(206, _length(len(body)) | place | _named(headers), body)


def chunked(content: bytes) -> Answer:
    """All of a file, without its length."""
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    return Answer(200, {"Transfer-Encoding": "chunked"}, body)


def _length(size: int) -> dict[str, str]:
    return {"Content-Length": str(size)}


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class _Handler(http.server.BaseHTTPRequestHandler):
    told: Script
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = (self.headers.get("Range", ""), self.headers.get("If-Range", ""))
        self.told.ranges.append(" ".join(filter(None, asked)))
        answer = self.told.answers.pop(0)
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        pass
