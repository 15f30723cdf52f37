"""A client that speaks RTSP by hand, and a camera that only refuses."""

import socket
import struct
from collections.abc import Callable
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Self


class Client:
    """Speaks RTSP by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.session = ""
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, method: str, url: str, **headers: str) -> tuple[int, dict[str, str]]:
        self.send(method, url, **headers)
        return self.answer()

    def send(self, method: str, url: str, **headers: str) -> None:
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def answer(self) -> tuple[int, dict[str, str]]:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        first, *lines = head.decode().strip().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
        self.read(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers

    def read(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            part = self.socket.recv(size - len(content))
            if not part:
                raise EOFError
            content += part
        return content

    def play(self, url: str) -> None:
        code, headers = self.ask(
            "SETUP", f"{url}/trackID=0", Transport="RTP/AVP/TCP;unicast;interleaved=0-1"
        )
        assert code == 200
        self.session = headers["session"].partition(";")[0]
        assert self.ask("PLAY", url, Session=self.session)[0] == 200

    def frame(self) -> tuple[int, bytes]:
        mark, channel, size = struct.unpack("!cBH", self.read(4))
        assert mark == b"$"
        return channel, self.read(size)


class RefusingCamera(ThreadingTCPServer):
    """Answers every request with what `answer` makes of its lines: a status line and headers."""

    daemon_threads = True

    def __init__(self, answer: Callable[[list[str]], list[str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answer = answer
        self.connections = 0

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.server_address[1]}/door"


class _Answering(StreamRequestHandler):
    server: RefusingCamera

    def handle(self) -> None:
        self.server.connections += 1
        lines: list[str] = []
        for line in self.rfile:
            lines.append(line.decode().strip())
            if not lines[-1]:
                sequence = next(one for one in lines if one.startswith("CSeq"))
                status, *headers = self.server.answer(lines)
                head = [f"RTSP/1.0 {status}", sequence, *headers, "", ""]
                self.wfile.write("\r\n".join(head).encode())
                lines = []
