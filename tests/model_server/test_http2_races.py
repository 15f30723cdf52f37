"""What happens between two threads of one connection, or of one server, at the wrong moment."""

import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from camfleet_contracts.wire import Data
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.grpc.streams import StreamCall
from camfleet_server.transports.http2 import watch as watch_module
from camfleet_server.transports.http2.channels import PlainChannel, TlsChannel
from camfleet_server.transports.http2.connection import Connection
from camfleet_server.transports.http2.exchange import Exchange
from camfleet_server.transports.http2.frames import (
    ACK,
    DATA,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    SETTING,
    SETTINGS,
    ErrorCode,
    frame,
    settings,
)
from camfleet_server.transports.http2.limits import Lifetimes, Limits
from camfleet_server.transports.http2.outgoing import Outgoing
from camfleet_server.transports.http2.watch import Watch
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane
from http2_peer import STREAM, TIMEOUT_S, connected, echoed, prefixed, request
from waiting import wait_until

STALLED_S = 0.2


class SilentChannel:
    """Sends nothing and brings nothing."""

    descriptor = None

    def open(self) -> None: ...

    def receive(self, _: Sequence[memoryview]) -> int:
        return 0

    def send(self, data: bytes) -> None: ...

    def has_bytes(self) -> bool:
        return False

    def has_room(self) -> bool:
        return True

    def finish(self) -> None: ...

    def cut(self) -> None: ...

    def close(self) -> None: ...


def quiet(watch: Any) -> Connection:
    serving = GrpcServer(FakeDataPlane(), ServerMetrics())._front
    return Connection(SilentChannel(), "ipv4:1.2.3.4:5", serving, Limits(), watch)


@dataclass
class HeldPlane(FakeDataPlane):
    """Answers once it is released."""

    released: threading.Event = field(default_factory=threading.Event)

    def infer(self, request: InferRequest) -> InferResult:
        assert self.released.wait(TIMEOUT_S)
        return InferResult(request.model, 2, dict(request.inputs))


@pytest.fixture
def held() -> Iterator[tuple[GrpcServer, HeldPlane, int]]:
    plane = HeldPlane()
    server = GrpcServer(plane, ServerMetrics())
    port = server.bind("127.0.0.1", 0)
    server.start()
    yield server, plane, port
    plane.released.set()
    server.stop(0)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off soon who stalls."""
    monkeypatch.setattr(watch_module, "_SWEEP_S", 0.02)
    where = "camfleet_server.transports.grpc.server.lifetimes"
    monkeypatch.setattr(where, lambda _: Lifetimes(stalled_s=STALLED_S))


def test_a_request_whose_headers_are_still_looked_at_owes_nothing() -> None:
    assert not Exchange(1, Outgoing(SilentChannel()), 10, 10).owes_bytes


@pytest.mark.usefixtures("hurried")
def test_a_client_that_may_not_send_on_has_not_stalled(
    held: tuple[GrpcServer, HeldPlane, int],
) -> None:
    server, plane, port = held
    message = prefixed(request(1_200_000))
    body = message * 4
    window = Limits().window_bytes
    with connected(port, values={INITIAL_WINDOW_SIZE: 1 << 30}) as peer:
        peer.open(1, STREAM)
        for at in range(0, window, 1 << 20):
            peer.send(frame(DATA, 0, 1, body[at : min(at + (1 << 20), window)]))
        (connection,) = server._watch._connections()
        exchange = wait_until(lambda: connection.outgoing.exchanges.get(1), TIMEOUT_S, "it")
        wait_until(lambda: exchange.received == window, TIMEOUT_S, "all that may come")
        until = connection.heard_at + 2 * STALLED_S
        wait_until(lambda: server._watch._swept_at > until, TIMEOUT_S, "some sweeps")
        plane.released.set()
        peer.send(frame(DATA, END_STREAM, 1, body[window:]))
        wait_until(lambda: exchange.received == len(body), TIMEOUT_S, "the rest")


@pytest.mark.usefixtures("hurried")
def test_the_watch_goes_on_after_a_fault_of_its_own(
    monkeypatch: pytest.MonkeyPatch, held: tuple[GrpcServer, HeldPlane, int]
) -> None:
    server, _, port = held
    watch, sweep = server._watch, server._watch._sweep
    faults = iter([KeyError("once"), None])

    def failing(now: float) -> None:
        if (fault := next(faults, None)) is not None:
            raise fault
        sweep(now)

    monkeypatch.setattr(watch, "_sweep", failing)
    with connected(port) as peer:
        peer.send(b"\0\0")  # the begin of a frame, and then silence
        assert peer.end().code is None


def test_a_connection_that_leaves_while_it_is_told_to_go_is_forgotten() -> None:
    watch = Watch(Lifetimes(idle_s=-1))
    connection = quiet(watch)
    watch._open.add(connection)
    open_once = watch._connections()
    watch.leave(connection)
    watch._retire(open_once[0], connection.heard_at + 1)
    assert not watch._ending


def test_an_answer_can_be_seen_before_the_watch_is_woken() -> None:
    seen: list[bool] = []
    watch = SimpleNamespace()
    connection = quiet(watch)
    watch.note_work = lambda: seen.append(connection.relieve(0.0))
    connection.work(lambda: None)
    assert seen == [True]


def test_shaking_hands_keeps_other_threads_from_the_tls_object() -> None:
    channel = TlsChannel.__new__(TlsChannel)
    crypto = channel._crypto = threading.Lock()
    channel._sending = threading.Lock()
    channel._outgoing = SimpleNamespace(read=lambda: b"")  # type: ignore[assignment]
    channel._socket = SimpleNamespace(sendall=lambda _: None)  # type: ignore[assignment]
    held: list[bool] = []
    channel._tls = SimpleNamespace(  # type: ignore[assignment]
        do_handshake=lambda: held.append(crypto.locked()), selected_alpn_protocol=lambda: "h2"
    )
    channel.open()
    assert held == [True]


def test_a_client_that_could_not_be_told_to_go_is_told_when_it_asks(
    held: tuple[GrpcServer, HeldPlane, int],
) -> None:
    server, _, port = held
    with connected(port) as peer:
        peer.until(SETTINGS, flags=ACK)
        (connection,) = server._watch._connections()
        with connection.outgoing.lock:  # as one who sends a lot
            leaving = threading.Thread(target=connection.leave)
            leaving.start()
            leaving.join(TIMEOUT_S)
        peer.open(1)
        assert peer.answer(1).reset == ErrorCode.REFUSED_STREAM
        assert peer.goaway == (0, ErrorCode.NO_ERROR, "")


@pytest.fixture
def two_ends() -> Iterator[tuple[PlainChannel, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield PlainChannel(near), far


def test_a_client_that_reads_nothing_holds_up_nobody_who_tells_it_to_go(
    two_ends: tuple[PlainChannel, socket.socket],
) -> None:
    channel, far = two_ends
    while channel.has_room():
        channel.send(bytes(1000))
    outgoing = Outgoing(channel)
    telling = threading.Thread(target=outgoing.send_if_free, args=(lambda: bytes(1 << 20),))
    telling.start()
    telling.join(TIMEOUT_S)  # less than a peer may stall
    assert not telling.is_alive()
    far.close()


def test_a_client_that_reads_is_told_to_go(two_ends: tuple[PlainChannel, socket.socket]) -> None:
    channel, far = two_ends
    Outgoing(channel).send_if_free(lambda: b"go")
    assert far.recv(10) == b"go"
    channel.close()
    Outgoing(channel).send_if_free(lambda: b"nobody is there")


class Uncopied(deque[Data]):
    """Must not be walked through: it can be very long."""

    def __iter__(self) -> Iterator[Data]:
        raise AssertionError("walked through")


def test_many_small_requests_of_a_stream_are_not_counted_for_every_answer() -> None:
    call = StreamCall.__new__(StreamCall)
    call._inbox = Uncopied([b""] * 1000)
    assert not call.wants_more


def test_of_settings_that_change_again_and_again_the_last_counts(
    held: tuple[GrpcServer, HeldPlane, int],
) -> None:
    _, plane, port = held
    plane.released.set()
    changes = b"".join(SETTING.pack(INITIAL_WINDOW_SIZE, size) for size in (0, 1 << 20) * 2000)
    with connected(port, values={INITIAL_WINDOW_SIZE: 10}) as peer:
        peer.ask(1, message=request(100))
        peer.send(frame(SETTINGS, 0, 0, changes))
        assert echoed(peer.answer(1)) == bytes(100)


def test_what_new_settings_let_through_comes_behind_their_acknowledgement(
    held: tuple[GrpcServer, HeldPlane, int],
) -> None:
    _, plane, port = held
    plane.released.set()
    with connected(port, values={INITIAL_WINDOW_SIZE: 0}) as peer:
        peer.until(SETTINGS, flags=ACK)
        peer.ask(1, message=request(100))
        peer.until(HEADERS, 1)  # the answer is there, and held up
        peer.send(settings({INITIAL_WINDOW_SIZE: 1 << 20}))
        kinds = [each.kind for each, _ in zip(peer.frames(), range(2), strict=False)]
        assert kinds == [SETTINGS, DATA]


def test_windows_of_many_streams_changed_again_and_again_are_cut_off(
    held: tuple[GrpcServer, HeldPlane, int],
) -> None:
    port = held[2]
    with connected(port) as peer:
        for number in range(1, 801, 2):
            peer.open(number)
        assert peer.is_cut_off(settings({INITIAL_WINDOW_SIZE: size}) for size in range(1000))


def test_a_stream_that_gets_no_thread_is_told(
    monkeypatch: pytest.MonkeyPatch, held: tuple[GrpcServer, HeldPlane, int]
) -> None:
    server, _, port = held
    monkeypatch.setattr(server._streams.threads, "submit", no_thread)
    with connected(port) as peer:
        peer.open(1, STREAM)
        peer.ask(3, STREAM, request())
        assert peer.answer(3).status == 14


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")
