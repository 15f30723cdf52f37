"""One thread reads connections whose answers are tiny, and none of them keeps another waiting."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest

from camfleet_server.transports.grpc.status import StatusCode
from camfleet_server.transports.http2 import common_reader, pace, watch
from camfleet_server.transports.http2.common_reader import CommonReader
from camfleet_server.transports.http2.frames import ACK, DATA, PING, frame
from camfleet_server.transports.http2.pace import Pace
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane
from http2_peer import STREAM, TIMEOUT_S, Peer, connected, echoed, prefixed, request
from transport_callers import GrpcCaller, serving_grpc
from waiting import wait_until

COMMON = "grpc-read-common"
LONG_S = 3600.0


@dataclass
class NotedPlane(FakeDataPlane):
    """Notes the thread of each inference; those of `held` wait for the test."""

    threads: list[threading.Thread] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def infer(self, request: InferRequest) -> InferResult:
        self.threads.append(threading.current_thread())
        if request.model == "held":
            self.came.set()
            assert self.released.wait(TIMEOUT_S)
        return InferResult(request.model, 2, dict(request.inputs))


@pytest.fixture
def plane() -> Iterator[NotedPlane]:
    made = NotedPlane()
    yield made
    made.released.set()


@pytest.fixture(autouse=True)
def all_is_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is."""
    monkeypatch.setattr(pace, "_COUNTED", 4)
    for name in ("_QUICK_S", "_TINY_S", "_PROMPT_S"):
        monkeypatch.setattr(pace, name, LONG_S)
    monkeypatch.setattr(common_reader, "_MEETING_S", LONG_S)


@pytest.fixture
def server(plane: NotedPlane) -> Iterator[GrpcCaller]:
    with serving_grpc(plane) as caller:
        yield caller


def ask_by_turns(peers: list[Peer], plane: NotedPlane) -> int:
    """Ask until one thread answers all; returns the number each peer may use next."""
    for number in range(1, 201, 2):
        plane.threads.clear()
        for peer in peers:
            peer.ask(number, message=request())
            assert echoed(peer.answer(number)) == bytes(2)
        if is_common(plane.threads):
            return number + 2
    raise AssertionError(f"still read by {set(plane.threads)}")


def is_common(threads: list[threading.Thread]) -> bool:
    """Tell whether all are one thread; a busy machine may give a connection back its own."""
    return len(set(threads)) == 1 and threads[0].name == COMMON


def common_threads() -> int:
    return sum(each.name == COMMON for each in threading.enumerate())


def test_connections_with_tiny_answers_come_to_be_read_by_one_thread(
    server: GrpcCaller, plane: NotedPlane
) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(connected(server.port)) for _ in range(5)]
        ask_by_turns(peers, plane)
    wait_until(lambda: common_threads() == 0, TIMEOUT_S, "the thread to end with its connections")


def test_streams_come_to_be_read_by_it_too(server: GrpcCaller, plane: NotedPlane) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(connected(server.port)) for _ in range(2)]
        for peer in peers:
            peer.open(1, STREAM)
        frames = [peer.frames() for peer in peers]
        while not is_common(plane.threads[-2:] or [threading.current_thread()]):
            assert len(plane.threads) < 200
            for peer, came in zip(peers, frames, strict=True):
                peer.send(frame(DATA, 0, 1, prefixed(request())))
                assert next(each for each in came if each.kind == DATA).payload


def test_a_connection_by_itself_keeps_its_thread(server: GrpcCaller, plane: NotedPlane) -> None:
    with connected(server.port) as peer:
        for number in range(1, 101, 2):
            peer.ask(number, message=request())
            peer.answer(number)
    assert COMMON not in {each.name for each in plane.threads}


def test_an_answer_that_takes_long_holds_up_nobody(server: GrpcCaller, plane: NotedPlane) -> None:
    with connected(server.port) as slow, connected(server.port) as other:
        number = ask_by_turns([slow, other], plane)
        slow.ask(number, message=request(model="held"))
        assert plane.came.wait(TIMEOUT_S)
        ask_on(other, number)
        slow.send(frame(PING, 0, 0, b"waiting!"))  # its own reading goes on as well
        assert slow.until(PING, flags=ACK)
        plane.released.set()
        assert slow.answer(number).status == StatusCode.OK
        ask_on(slow, number + 2)


def ask_on(peer: Peer, number: int) -> None:
    for later in range(number, number + 40, 2):
        peer.ask(later, message=request())
        assert echoed(peer.answer(later)) == bytes(2)


@dataclass
class LingeringPlane(FakeDataPlane):
    """Takes some milliseconds for some requests, by their size."""

    never: threading.Event = field(default_factory=threading.Event)

    def infer(self, request: InferRequest) -> InferResult:
        if len(request.inputs["text"]) % 7 == 0:
            self.never.wait(0.003)
        return InferResult(request.model, 2, dict(request.inputs))


def test_threads_that_change_all_the_time_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_LONG_S", 0.0005)
    monkeypatch.setattr(pace, "_DISTRUSTED", 8)
    answered: SimpleQueue[bool] = SimpleQueue()
    with serving_grpc(LingeringPlane()) as caller:

        def ask() -> None:
            with connected(caller.port) as peer:
                for number in range(1, 121, 2):
                    peer.ask(number, message=request(number))
                    answered.put(len(echoed(peer.answer(number))) == number)

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        assert all(answered.get(timeout=TIMEOUT_S) for _ in range(4 * 60))
        for client in clients:
            client.join(TIMEOUT_S)
    wait_until(lambda: common_threads() == 0, TIMEOUT_S, "no thread is left")


class Line:
    """A connection of bytes: tells which thread read each of them."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.pace = Pace()
        self.pace.is_tiny = True
        self.descriptor: int | None = self.near.fileno()
        self.readers: SimpleQueue[int] = SimpleQueue()
        self.go_on = threading.Event()
        self.go_on.set()

    def read_once(self) -> bool:
        goes_on = bool(self.near.recv(1))
        if goes_on:
            self.readers.put(threading.get_ident())
            assert self.go_on.wait(TIMEOUT_S)
        else:
            self.near.close()
        return goes_on

    def read_on(self) -> None:
        while self.read_once():
            pass

    def close(self) -> None:
        self.near.close()
        self.far.close()

    def reader_of_next(self) -> int:
        self.far.send(b".")
        return self.readers.get(timeout=TIMEOUT_S)


@pytest.fixture
def reader() -> CommonReader:
    return CommonReader(lambda: None)


@pytest.fixture
def lines(reader: CommonReader) -> Iterator[list[Line]]:
    """Three that were taken, behind one that came first and met nobody."""
    made = [Line() for _ in range(4)]
    assert [reader.take(line) for line in made] == [False, True, True, True]
    yield made[1:]
    for line in made:
        line.go_on.set()
        line.far.close()
    made[0].close()
    wait_until(lambda: common_threads() == 0, TIMEOUT_S, "no thread is left")


def test_all_lines_are_read_by_one_thread(lines: list[Line]) -> None:
    assert len({line.reader_of_next() for line in lines}) == 1


def test_a_line_that_is_over_leaves_the_others_their_reader(lines: list[Line]) -> None:
    before = lines[0].reader_of_next()
    lines[1].far.close()
    wait_until(lambda: lines[1].near.fileno() < 0, TIMEOUT_S, "its end")
    assert lines[0].reader_of_next() == lines[2].reader_of_next() == before


@pytest.mark.parametrize("lost", ["is_tiny", "is_prompt"])
def test_a_line_that_is_not_for_common_reading_gets_a_thread_to_itself(
    lines: list[Line], lost: str
) -> None:
    setattr(lines[0].pace, lost, False)
    lines[0].reader_of_next()
    alone = lines[0].reader_of_next()
    assert lines[1].reader_of_next() == lines[2].reader_of_next() != alone
    assert not lines[0].pace.is_tiny


def test_a_line_that_holds_its_reader_up_keeps_it_and_others_get_a_new_one(
    reader: CommonReader, lines: list[Line]
) -> None:
    lines[0].go_on.clear()
    held_up = lines[0].reader_of_next()
    lines[0].far.send(b"..")
    assert reader.relieve(0.0)  # not for so long yet
    assert not reader.relieve(time.perf_counter())
    assert lines[1].reader_of_next() == lines[2].reader_of_next() != held_up
    lines[0].go_on.set()
    assert {lines[0].readers.get(timeout=TIMEOUT_S) for _ in range(2)} == {held_up}


def test_without_a_thread_to_be_had_everything_stays_as_it_is(
    reader: CommonReader, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines[0].go_on.clear()
    before = lines[0].reader_of_next()
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            reader.relieve(time.perf_counter())
        lines[0].pace.is_tiny = False
        lines[0].go_on.set()
        assert {line.reader_of_next() for line in lines} == {before}


def test_without_a_thread_to_be_had_a_line_keeps_its_own(
    reader: CommonReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with closing(Line()) as first, closing(Line()) as second:
        assert [reader.take(first), reader.take(second)] == [False, False]


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_what_no_poll_tells_of_is_not_taken(reader: CommonReader, lines: list[Line]) -> None:
    lines[0].reader_of_next()
    with closing(Line()) as hidden:
        hidden.descriptor = None  # as under TLS
        assert not reader.take(hidden)
