"""Connections that come and go, and bytes that make no sense: nothing is left behind."""

import gc
import random
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
import structlog  # noqa: TID251 - for what it brings for tests

from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.grpc.streams import StreamCall
from camfleet_server.transports.grpc.unary import UnaryCall
from camfleet_server.transports.http2.connection import Connection
from camfleet_server.transports.http2.exchange import Exchange
from camfleet_server.transports.http2.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PING,
    PREFACE,
    ErrorCode,
    frame,
    reset,
    settings,
    window_update,
)
from camfleet_server.transports.http2.limits import Lifetimes, Limits
from camfleet_server.transports.http2.watch import Watch
from fakes_model_server import FakeDataPlane
from http2_peer import (
    LIVE,
    STREAM,
    TIMEOUT_S,
    Peer,
    connected,
    echoed,
    prefixed,
    request,
    spread,
)
from self_signed import self_signed
from transport_callers import GrpcCaller, serving_grpc
from waiting import wait_until

FUZZED = 2000


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


class ScriptedChannel:
    """Gives what a client sent, cut at random, and forgets what it is sent."""

    descriptor = None

    def __init__(self, script: bytes, seed: int) -> None:
        self._script = script
        self._random = random.Random(seed)

    def open(self) -> None:
        """Nothing comes before the first byte."""

    def receive(self, parts: Sequence[memoryview]) -> int:
        room = min(sum(map(len, parts)), self._random.choice((1, 7, 50, 2000, 1 << 16)))
        piece, self._script = self._script[:room], self._script[room:]
        return spread(piece, parts)

    def send(self, data: bytes) -> None:
        """Nobody reads."""

    def has_bytes(self) -> bool:
        """The rest of the script."""
        return bool(self._script)

    def has_room(self) -> bool:
        """There always is."""
        return True

    def finish(self) -> None:
        """It ends by itself."""

    def cut(self) -> None:
        self._script = b""

    def close(self) -> None:
        self._script = b""


def conversation() -> bytes:
    """All that a client may say, said well."""
    with socket.socket() as unused:
        peer = Peer(unused)
        head, live, stream = peer.head(), peer.head(LIVE), peer.head(STREAM)
    return (
        PREFACE
        + settings({INITIAL_WINDOW_SIZE: 50})
        + window_update(0, 1 << 20)
        + frame(HEADERS, END_HEADERS, 1, head)
        + frame(DATA, 0, 1, prefixed(request(300))[:100])
        + frame(DATA, END_STREAM, 1, prefixed(request(300))[100:])
        + frame(PING, 0, 0, b"12345678")
        + frame(HEADERS, END_HEADERS, 3, live)
        + frame(DATA, END_STREAM, 3, prefixed(b""))
        + frame(HEADERS, END_HEADERS, 5, stream)
        + frame(DATA, 0, 5, prefixed(request()) * 3)
        + window_update(1, 1 << 16)
        + settings({INITIAL_WINDOW_SIZE: 1 << 16})
        + frame(DATA, END_STREAM, 5, b"")
        + frame(HEADERS, END_HEADERS, 7, head)
        + reset(7, ErrorCode.CANCEL)
    )


def mutated(script: bytes, chance: random.Random) -> bytes:
    """Change, drop, double or insert a few bytes behind the preface."""
    data = bytearray(script)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(PREFACE), len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 20)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 40)]
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
    return bytes(data)


def test_bytes_that_make_no_sense_end_their_connection_and_leave_nothing() -> None:
    server, watch = GrpcServer(FakeDataPlane(), ServerMetrics()), Watch(Lifetimes())
    script = conversation()
    with structlog.testing.capture_logs() as logs:
        for seed in range(FUZZED):
            data = mutated(script, random.Random(seed)) if seed else script
            channel = ScriptedChannel(data, seed)
            connection = Connection(channel, "ipv4:1.2.3.4:5", server._front, Limits(), watch)
            connection.run()
            assert not connection.outgoing.exchanges, seed
    server.stop(0)
    assert [log for log in logs if log["log_level"] in {"error", "critical"}] == []
    assert server._streams.count() == 0


def test_a_thousand_connections_leave_no_thread_no_file_and_no_object(server: GrpcCaller) -> None:
    before, process = kept(), psutil.Process()
    threads, files = reading_threads(), process.num_fds()
    come_and_go(server.port, 1000)
    wait_until(lambda: reading_threads() <= threads, TIMEOUT_S, "all of them to be gone")
    wait_until(lambda: process.num_fds() <= files, TIMEOUT_S, "their files to be closed")
    server.plane.requests.clear()  # they know whom to ask about their peer
    wait_until(lambda: kept() <= before, TIMEOUT_S, "all that they were to be forgotten")


def kept() -> int:
    """Count what there is of connections, those of other tests included."""
    gc.collect()
    ours = (Connection, Exchange, StreamCall, UnaryCall)
    return sum(isinstance(each, ours) for each in gc.get_objects())


def come_and_go(port: int, count: int) -> None:
    for number in range(count):
        with connected(port) as peer:
            if number % 2:
                peer.ask(1, message=request(1000))
                assert len(echoed(peer.answer(1))) == 1000
            else:
                peer.open(1, STREAM)


def reading_threads() -> int:
    return sum(thread.name == "grpc-read" for thread in threading.enumerate())


def test_under_tls_reading_and_writing_at_once_keep_every_byte(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    context = ssl.create_default_context(cafile=files.cert)
    context.set_alpn_protocols(["h2"])
    server = GrpcServer(FakeDataPlane(), ServerMetrics())
    port = server.bind("127.0.0.1", 0, files)
    server.start()
    with connected(port, context, {INITIAL_WINDOW_SIZE: 1 << 30}) as peer:
        peer.send(window_update(0, 1 << 30))
        for number in range(1, 41, 2):
            peer.ask(number, message=request(60_000))
        answers = [peer.answer(number) for number in (39,)]
    server.stop(0)
    assert len(echoed(answers[0])) == 60_000


def test_a_client_that_speaks_no_tls_is_let_go(tmp_path: Path) -> None:
    server = GrpcServer(FakeDataPlane(), ServerMetrics())
    port = server.bind("127.0.0.1", 0, self_signed(tmp_path))
    server.start()
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as plain:
        plain.sendall(PREFACE)
        while plain.recv(1000):
            pass
    server.stop(0)
