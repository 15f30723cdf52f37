"""RTSP servers that send their readers elsewhere, or on and on."""

from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from camfleet_capture.errors import SourceFault, SourceMissing
from camfleet_capture.sources.live import open_network
from serving_thread import in_thread


class Redirecting(ThreadingTCPServer):
    """Answers every request with a redirect to itself, or with 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Redirect)
        self.connections = 0
        self.is_mended = False

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.server_address[1]}/door"


class _Redirect(StreamRequestHandler):
    server: Redirecting

    def handle(self) -> None:
        self.server.connections += 1
        lines: list[str] = []
        for line in self.rfile:
            lines.append(line.decode().strip())
            if not lines[-1]:
                sequence = next(one for one in lines if one.startswith("CSeq"))
                word = "404 Not Found" if self.server.is_mended else "302 Moved"
                head = f"RTSP/1.0 {word}\r\n{sequence}\r\nLocation: {self.server.url}\r\n\r\n"
                self.wfile.write(head.encode())
                lines = []


def test_camera_that_sends_its_readers_in_circles_says_so_and_is_left_alone_until_it_is_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("camfleet_capture.sources.container.OPEN_TIMEOUT_S", 0.5)
    with in_thread(Redirecting()) as server:
        with pytest.raises(SourceMissing, match=r"/door: sends its readers on and on") as caught:
            open_network(server.url, ("admin", "secret"))
        before = server.connections
        assert caught.value.still_holds()
        assert server.connections - before <= 5
        server.is_mended = True
        assert not caught.value.still_holds()
        with pytest.raises(SourceFault, match="no such path"):
            open_network(server.url)
    assert "secret" not in str(caught.value)
