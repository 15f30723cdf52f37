import asyncio
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from camfleet_capture.publish.client import RtspClient
from camfleet_capture.rtsp.challenges import find_authorization
from fakes_capture import (
    camera_lines,
    capture_running,
    published,
    publishing_lines,
)
from waiting import wait_until

LOGIN = {"PUSH": "pusher:pa:ss"}


class Demanding(threading.Thread):
    """A server that challenges, takes the stream if the answer is right, and notes what it got."""

    def __init__(self, challenge: str = "") -> None:
        super().__init__(name="rtsp-sink", daemon=True)
        self.challenge = challenge
        self.requests: list[str] = []
        self.frames = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as pipe:
                self._connection = connection
                while self._take(connection, pipe):
                    pass

    def _take(self, connection: socket.socket, pipe: Any) -> bool:
        try:
            if (first := pipe.read(1)) == b"$":
                pipe.read(int.from_bytes(pipe.read(3)[1:]))
                self.frames += 1
                return True
            head = first
            while not head.endswith(b"\r\n\r\n"):
                if not (line := pipe.readline()):
                    return False
                head += line
            connection.sendall(self._answer(head.decode(), pipe).encode())
        except OSError:
            return False
        return True

    def _answer(self, head: str, pipe: Any) -> str:
        self.requests.append(head)
        if length := re.search(r"Content-Length: (\d+)", head):
            pipe.read(int(length[1]))
        if self.challenge and "Authorization:" not in head:
            return f"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: {self.challenge}\r\n\r\n"
        return "RTSP/1.0 200 OK\r\nSession: 7;timeout=1\r\n\r\n"

    def hang_up(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def demanding(challenge: str = "") -> Iterator[Demanding]:
    server = Demanding(challenge)
    server.start()
    try:
        yield server
    finally:
        server.close()
        server.join(60)


def test_wrong_password_and_unwilling_server_are_named_without_the_password(
    tmp_path: Path, clip: Path
) -> None:
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
    with demanding(challenge) as server:
        file = tmp_path / "cameras.yaml"
        file.write_text(publishing_lines(clip, f"rtsp://127.0.0.1:{server.port}/in"))
        with capture_running(file, environment=LOGIN) as capture:
            state = published(capture, "FAILED")
            assert "asks for a password" in state["reason"]
            to = f"rtsp://${{env:NONE}}@127.0.0.1:{server.port}/in"
            file.write_text(publishing_lines(clip, to))
            wait_until(
                lambda: "NONE" in (published(capture, "FAILED")["reason"]), 60, "missing reference"
            )
            to = f"rtsp://${{env:PUSH}}@127.0.0.1:{server.port}/in"
            file.write_text(publishing_lines(clip, to))
            published(capture, "PUBLISHING")
            wait_until(lambda: server.frames > 10, 60, "packets")
            assert "pa:ss" not in capture.get("/cameras").text


def test_session_is_kept_alive_and_begun_anew_after_a_hang_up_and_ends_with_the_entry(
    tmp_path: Path, clip: Path
) -> None:
    with demanding() as server:
        file = tmp_path / "cameras.yaml"
        file.write_text(publishing_lines(clip, f"rtsp://127.0.0.1:{server.port}/in"))
        with capture_running(file) as capture:
            published(capture, "PUBLISHING")
            wait_until(lambda: any("OPTIONS" in r for r in server.requests), 60, "sign of life")
            server.hang_up()
            announces = "ANNOUNCE"
            wait_until(lambda: sum(announces in r for r in server.requests) == 2, 60, "again")
            published(capture, "PUBLISHING")
            file.write_text(camera_lines(door=str(clip)))
            wait_until(lambda: server.requests[-1].startswith("TEARDOWN"), 60, "leave")
            assert capture.state("door")["publishing"] is None
            assert capture.state("door")["reconnects"] == 0


def test_a_server_that_vanishes_without_a_word_is_noticed_within_half_a_minute() -> None:
    async def patience_ms(port: int) -> int:
        client = await RtspClient.connect(f"rtsp://127.0.0.1:{port}/in", None, None)
        connection = client.transport.get_extra_info("socket")
        client.close()
        limit: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        return limit

    with demanding() as server:
        assert asyncio.run(patience_ms(server.port)) == 30_000


def test_digest_follows_the_examples_of_its_standard() -> None:
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int",'
        ' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    authorize = find_authorization(["Basic realm=r", challenge], ("Mufasa", "Circle Of Life"))
    assert authorize is not None
    answer = authorize("GET", "/dir/index.html")
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', answer.removeprefix("Digest ")))
    first, second = "939e7578ed9e3c518a452acee763bce9", "39aff3a2bab6126f332b942af96d3366"
    middle = f"{fields['nonce']}:00000001:{fields['cnonce']}:auth"
    wanted = hashlib.md5(f"{first}:{middle}:{second}".encode()).hexdigest()  # noqa: S324 - the protocol
    assert fields["response"] == wanted
    assert fields["opaque"] == "5ccc069c403ebaf9f0171e9517f40e41"


def test_nothing_is_answered_to_challenges_of_unknown_kinds() -> None:
    assert find_authorization(["Negotiate", 'Digest algorithm="MD4"'], ("a", "b")) is None
