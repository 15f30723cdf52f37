"""Whoever reaches the page's port, with a key or without, takes nothing from the others."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from camfleet_contracts import http_connections
from running_app import RunningApp, running_app
from waiting import wait_until

WAIT_S = 60


@contextmanager
def connected(app: RunningApp) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", app.port), timeout=WAIT_S) as client:
        yield client


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: box\r\nX-Slow: ", id="half of a head"),
        pytest.param(
            b"POST /v1/cameras HTTP/1.1\r\nHost: box\r\nContent-Length: 9\r\n\r\n{",
            id="a body that nobody wants",
        ),
    ],
)
def test_a_connection_without_a_request_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_connections, "HEADERS_LIMIT_S", 0.1)
    with running_app(tmp_path) as app, connected(app) as client, client.makefile("rb") as answer:
        client.sendall(sent)
        answer.read()  # to its end


def test_a_form_that_does_not_come_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet.web.bodies.LONGEST_S", 0.1)
    with running_app(tmp_path) as app, connected(app) as client, client.makefile("rb") as answer:
        client.sendall(b"POST /login HTTP/1.1\r\nHost: box\r\nContent-Length: 99\r\n\r\nkey=")
        told = answer.read()
    assert told.startswith(b"HTTP/1.1 408")
    assert b"the body did not come within 0.1 s" in told


def test_a_stream_outlives_the_wait_for_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEADERS_LIMIT_S", 0.05)
    with running_app(tmp_path) as app, app.stream() as stream, connected(app) as silent:
        for _ in range(4):  # looks at connections, each as long as the first
            with connected(app) as another:
                assert another.recv(1) == b""
        assert silent.recv(1) == b""
        app.show()
        assert stream.recv(timeout=WAIT_S)


def test_connections_above_the_bound_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "MOST_CONNECTIONS", 3)
    with running_app(tmp_path) as app:
        with connected(app), connected(app), connected(app), connected(app) as fourth:
            assert fourth.recv(1) == b""
        wait_until(lambda: answers(app), WAIT_S, "the page answers again")


def answers(app: RunningApp) -> bool:
    try:
        return httpx.get(f"{app.address}/healthz", trust_env=False, timeout=60).is_success
    except httpx.HTTPError:
        return False
