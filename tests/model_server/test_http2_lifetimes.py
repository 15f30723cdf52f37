"""How long connections may live: idle, old and stalled ones end, and there is a bound."""

import socket
from collections.abc import Iterator

import pytest

from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.http2 import watch as watch_module
from camfleet_server.transports.http2.frames import (
    DATA,
    END_STREAM,
    PING,
    PREFACE,
    ErrorCode,
    frame,
    reset,
)
from camfleet_server.transports.http2.limits import Lifetimes
from fakes_model_server import FakeDataPlane
from http2_peer import (
    LIVE,
    TIMEOUT_S,
    Ended,
    connected,
    echoed,
    prefixed,
    request,
)
from transport_callers import GrpcCaller, serving_grpc
from waiting import wait_until


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "_SWEEP_S", 0.02)


def serving_with(monkeypatch: pytest.MonkeyPatch, lifetimes: Lifetimes) -> GrpcServer:
    where = "camfleet_server.transports.grpc.server.lifetimes"
    monkeypatch.setattr(where, lambda _: lifetimes)
    return GrpcServer(FakeDataPlane(), ServerMetrics())


@pytest.mark.usefixtures("hurried")
def test_idle_connections_are_told_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serving_with(monkeypatch, Lifetimes())
    port = server.bind("127.0.0.1", 0)
    server.start()
    with connected(port) as peer:
        peer.ask(1, LIVE)
        assert peer.answer(1).status == 0
        server._watch._lifetimes = Lifetimes(idle_s=0.1)
        assert peer.end().code == ErrorCode.NO_ERROR
    server.stop(0)


@pytest.mark.usefixtures("hurried")
def test_old_connections_are_told_to_go_and_may_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serving_with(monkeypatch, Lifetimes())
    port = server.bind("127.0.0.1", 0)
    server.start()
    with connected(port) as peer:
        peer.open(1)
        peer.send(frame(PING, 0, 0, bytes(8)))
        peer.until(PING)  # the request is there
        server._watch._lifetimes = Lifetimes(age_s=0.1)
        peer.until(7)  # GOAWAY
        assert peer.goaway is not None
        assert peer.goaway[0] == (1 << 31) - 1  # what is on its way is taken
        peer.until(7)
        peer.open(3)
        assert peer.answer(3).reset == ErrorCode.REFUSED_STREAM
        peer.send(frame(DATA, END_STREAM, 1, prefixed(request())))
        assert echoed(peer.answer(1)) == bytes(2)
        assert peer.end().code == ErrorCode.NO_ERROR
    server.stop(0)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "said", [b"", PREFACE[:9], PREFACE + b"\0\0"], ids=["", "preface", "frame"]
)
def test_connections_that_stall_are_cut(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    server = serving_with(monkeypatch, Lifetimes(stalled_s=0.1))
    port = server.bind("127.0.0.1", 0)
    server.start()
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as plain:
        plain.sendall(said)
        while plain.recv(1000):
            pass
    server.stop(0)


def test_connections_above_the_bound_are_closed_until_another_is_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serving_with(monkeypatch, Lifetimes(connections=1))
    port = server.bind("127.0.0.1", 0)
    server.start()
    with connected(port) as peer:
        peer.open(1)
        peer.send(frame(PING, 0, 0, bytes(8)))
        peer.until(PING)
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as second:
            assert is_closed(second)
        peer.send(reset(1, ErrorCode.CANCEL))
        wait_until(lambda: is_live(port), TIMEOUT_S, "the idle one to make room")
        assert peer.end().code in {ErrorCode.NO_ERROR, None}
    server.stop(0)


def is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def is_live(port: int) -> bool:
    try:
        with connected(port) as peer:
            peer.ask(1, LIVE)
            return peer.answer(1).status == 0
    except (OSError, Ended):
        return False
