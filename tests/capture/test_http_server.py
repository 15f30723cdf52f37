import asyncio
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from camfleet_capture.http_server import HttpServer
from fakes_capture import camera_lines, capture_running


@pytest.mark.parametrize("path", ["/cameras", "/healthz", "/nothing"])
def test_every_answer_tells_the_time_it_was_made(tmp_path: Path, path: str) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one="no.mp4"))
    with capture_running(file) as capture:
        (told,) = capture.get(path).headers.get_list("date")
    assert abs(datetime.now(UTC) - parsedate_to_datetime(told)) < timedelta(minutes=1)


def test_a_connection_without_a_request_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_contracts.http_connections.HEADERS_LIMIT_S", 0.1)
    file = tmp_path / "cameras.yaml"
    file.write_text("cameras: []\n")
    with (
        capture_running(file) as capture,
        socket.create_connection(("127.0.0.1", capture.http_port), timeout=60) as client,
    ):
        client.sendall(b"GET /cameras HTTP/1.1\r\nHost:")
        assert client.recv(1) == b""


def test_nothing_is_due_between_requests() -> None:
    async def due_after_an_answer() -> list[asyncio.TimerHandle]:
        loop: Any = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = HttpServer(PlainTextResponse("well"), None)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            closing = {"Connection": "close"}
            answer = await asyncio.to_thread(httpx.get, url, headers=closing, timeout=60)
            due = [timer for timer in loop._scheduled if not timer.cancelled()]
            server.end()
            await serving
        assert answer.text == "well"
        return due

    assert asyncio.run(due_after_an_answer()) == []
