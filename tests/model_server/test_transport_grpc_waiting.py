"""gRPC calls side by side: what one that waits, or that nobody reads, costs the others."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.grpc.server import GrpcLimits
from camfleet_server.transports.grpc.status import StatusCode
from camfleet_server.transports.http2 import pace, watch
from camfleet_server.transports.http2.frames import (
    ACK,
    DATA,
    PING,
    WINDOW_UPDATE,
    ErrorCode,
    frame,
    reset,
    window_update,
)
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane
from http2_peer import LIVE, STREAM, TIMEOUT_S, Peer, connected, echoed, prefixed, request
from transport_callers import serving_grpc
from waiting import wait_until
from waiting_plane import WaitingPlane

LONG_S = 3600.0
_READING = {"grpc-read", "grpc-relief"}


@pytest.fixture
def plane() -> Iterator[WaitingPlane]:
    waiting = WaitingPlane()
    yield waiting
    waiting.opened.set()


def test_an_answer_that_takes_long_holds_up_nothing_on_its_connection(
    plane: WaitingPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading thread answers the call itself, and is relieved of the reading."""
    monkeypatch.setattr(pace, "_TRUSTED", 0)
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        peer.ask(1, message=request())
        wait_until(lambda: len(plane.requests) == 1, TIMEOUT_S, "the first to wait")
        peer.ask(3, message=request())
        wait_until(lambda: len(plane.requests) == 2, TIMEOUT_S, "the second to wait")
        peer.ask(5, LIVE)
        peer.send(frame(PING, 0, 0, bytes(8)))
        assert peer.answer(5).status == StatusCode.OK
        peer.send(frame(PING, 0, 0, b"waiting!"))
        assert peer.until(PING, flags=ACK)
        peer.send(reset(1, ErrorCode.CANCEL))
        assert plane.abandoned.wait(TIMEOUT_S)
        assert peer.answer(3).status == StatusCode.CANCELLED
        peer.ask(7, LIVE)
        assert peer.answer(7).status == StatusCode.OK


@dataclass
class ThreadsPlane(FakeDataPlane):
    """Remembers which threads infer."""

    threads: list[str] = field(default_factory=list)

    def infer(self, request: InferRequest) -> InferResult:
        self.threads.append(threading.current_thread().name)
        return super().infer(request)


@dataclass
class HeldThreadsPlane(ThreadsPlane):
    """Infers while it is open."""

    opened: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.opened.set()

    def infer(self, request: InferRequest) -> InferResult:
        result = super().infer(request)
        assert self.opened.wait(TIMEOUT_S)
        return result


def test_quick_answers_are_given_by_the_thread_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_TRUSTED", 0)
    plane = ThreadsPlane()
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        for number in range(1, 21, 2):
            peer.ask(number, message=request())
            assert peer.answer(number).status == StatusCode.OK
    assert set(plane.threads) <= _READING


@pytest.fixture
def _every_answer_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is quick, a lone one is quick enough, and nobody is relieved of the reading."""
    monkeypatch.setattr(pace, "_QUICK_S", 0.0)
    monkeypatch.setattr(pace, "_LONE_QUICK_S", LONG_S)
    monkeypatch.setattr(watch, "_LONG_S", LONG_S)


@pytest.mark.usefixtures("_every_answer_is_long")
def test_long_answers_come_from_the_reading_thread_while_one_is_asked_at_a_time() -> None:
    plane = ThreadsPlane()
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        begin = asked_until_the_reader_answers(peer, plane)
        for number in range(begin, begin + 20, 2):
            peer.ask(number, message=request())
            assert peer.answer(number).status == StatusCode.OK
    assert set(plane.threads[-10:]) == {"grpc-read"}


def asked_until_the_reader_answers(peer: Peer, plane: ThreadsPlane) -> int:
    """Ask one at a time, until the pool's threads have told what their answers took."""
    for number in range(1, 20_001, 2):
        peer.ask(number, message=request())
        assert peer.answer(number).status == StatusCode.OK
        if plane.threads[-1] == "grpc-read":
            return number + 2
    raise AssertionError(plane.threads[-1])


@pytest.mark.usefixtures("_every_answer_is_long")
def test_long_answers_come_from_other_threads_once_several_are_asked_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "_TRUSTED", 1)
    plane = HeldThreadsPlane()
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        number, before = asked_until_the_reader_answers(peer, plane), len(plane.threads)
        plane.opened.clear()
        peer.ask(number, message=request())
        wait_until(lambda: len(plane.threads) > before, TIMEOUT_S, "it to be inferred")
        peer.ask(number + 2, message=request())
        plane.opened.set()
        assert peer.answer(number + 2).status == StatusCode.OK
    assert [name in _READING for name in plane.threads[before:]] == [True, False]


def test_calls_side_by_side_on_one_connection_have_threads_of_their_own(
    plane: WaitingPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_TRUSTED", 0)
    plane.together = threading.Barrier(3)
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        for number in (1, 3, 5):
            peer.ask(number, message=request())
        assert len(echoed(peer.answer(5))) == 2


def test_cancelled_and_lost_calls_let_go_of_everything(plane: WaitingPlane) -> None:
    with serving_grpc(plane) as caller:
        with connected(caller.port) as peer:
            peer.ask(1, message=request())
            wait_until(lambda: plane.requests, TIMEOUT_S, "the request to wait")
        assert plane.abandoned.wait(TIMEOUT_S)  # the connection is lost
        assert caller.kserve("ServerLive", pb.ServerLiveRequest()).live


def test_a_stream_whose_requests_wait_is_held_up_at_its_client(plane: WaitingPlane) -> None:
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        peer.open(1, STREAM)
        body = prefixed(request(1 << 18))
        window = 4 << 20
        while window >= len(body):
            window -= len(body)
            peer.send(frame(DATA, 0, 1, body))
        peer.send(frame(PING, 0, 0, bytes(8)))
        frames = itertools.takewhile(lambda each: each.kind != PING, peer.frames())
        assert (WINDOW_UPDATE, 1) not in {(each.kind, each.number) for each in frames}
        peer.send(window_update(0, 1 << 24) + window_update(1, 1 << 24))
        plane.opened.set()
        assert peer.until(WINDOW_UPDATE, 1)  # once they are answered


def test_a_stream_that_goes_on_although_it_is_held_up_is_cut_off(plane: WaitingPlane) -> None:
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        peer.open(1, STREAM)
        body = prefixed(request(1 << 18))
        try:
            for _ in range(30):
                peer.send(frame(DATA, 0, 1, body))
        except ConnectionError:
            return  # it is closed while we still send
        assert peer.end().code in {ErrorCode.FLOW_CONTROL_ERROR, None}


def test_large_requests_count_against_the_quota_before_they_are_whole() -> None:
    limits = GrpcLimits(quota_bytes=800_000)
    body = prefixed(request(600_000))
    with serving_grpc(limits=limits) as caller, connected(caller.port) as second:
        with connected(caller.port) as first:
            first.open(1)
            first.send(frame(DATA, 0, 1, body[:500_000]))
            first.send(frame(PING, 0, 0, bytes(8)))
            first.until(PING, flags=ACK)
            second.ask(1, message=request(600_000))
            answer = second.answer(1)
            assert answer.status == StatusCode.RESOURCE_EXHAUSTED
            assert "of --grpc_memory_quota" in answer.text
            first.send(reset(1, ErrorCode.CANCEL) + frame(PING, 0, 0, bytes(8)))
            first.until(PING, flags=ACK)
        second.send(window_update(0, 1 << 20))
        second.ask(3, message=request(600_000))
        second.send(window_update(3, 1 << 20))
        assert len(echoed(second.answer(3))) == 600_000


def test_large_requests_that_are_only_announced_hold_up_nobody() -> None:
    limits = GrpcLimits(quota_bytes=800_000)
    announced = b"\0" + (1 << 29).to_bytes(4, "big") + bytes(1000)
    with (
        serving_grpc(limits=limits) as caller,
        connected(caller.port) as first,
        connected(caller.port) as second,
    ):
        first.open(1)
        first.send(frame(DATA, 0, 1, announced) + frame(PING, 0, 0, bytes(8)))
        first.until(PING, flags=ACK)
        second.send(window_update(0, 1 << 20))
        second.ask(1, message=request(600_000))
        second.send(window_update(1, 1 << 20))
        assert len(echoed(second.answer(1))) == 600_000


def test_answers_nobody_reads_hold_up_their_stream_only() -> None:
    with serving_grpc() as caller, connected(caller.port) as peer:
        peer.send(window_update(0, 1 << 24))
        peer.open(1, STREAM)
        for number in range(3, 63, 2):
            peer.send(frame(DATA, 0, 1, prefixed(request(100_000))))
            peer.ask(number, LIVE)
            assert peer.answer(number).status == StatusCode.OK
        assert len(caller.plane.requests) < 20
        peer.send(reset(1, ErrorCode.CANCEL))
        peer.ask(99, LIVE)
        assert peer.answer(99).status == StatusCode.OK
