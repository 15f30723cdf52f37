"""gRPC on top of HTTP/2: prefixes, compression, deadlines, texts of errors, limits of messages."""

import gzip
import itertools
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.grpc.channel_arguments import lifetimes, message_limits
from camfleet_server.transports.grpc.messages import MessageReader
from camfleet_server.transports.grpc.requests import read_head
from camfleet_server.transports.grpc.server import GrpcLimits
from camfleet_server.transports.grpc.status import Ended, StatusCode, percent_encoded
from camfleet_server.transports.http2 import pace
from camfleet_server.transports.http2.frames import (
    ACK,
    DATA,
    END_STREAM,
    PING,
    WINDOW_UPDATE,
    ErrorCode,
    frame,
    reset,
    window_update,
)
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane
from http2_peer import (
    INFER,
    LIVE,
    STREAM,
    TIMEOUT_S,
    Answer,
    Peer,
    connected,
    echoed,
    prefixed,
    request,
)
from transport_callers import GrpcCaller, refused, serving_grpc
from waiting import wait_until
from waiting_plane import WaitingPlane

HEADERS_OF_A_CALL = [(":method", "POST"), (":path", INFER), ("content-type", "application/grpc")]


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


@pytest.fixture
def peer(server: GrpcCaller) -> Iterator[Peer]:
    with connected(server.port) as connected_peer:
        yield connected_peer


@pytest.fixture
def plane() -> Iterator[WaitingPlane]:
    waiting = WaitingPlane()
    yield waiting
    waiting.opened.set()


@dataclass
class CountingHand:
    """Counts the bytes in hand, and how many they were at most."""

    held_bytes: int = 0
    most_bytes: int = 0

    def take(self, size_bytes: int) -> None:
        self.held_bytes += size_bytes
        self.most_bytes = max(self.most_bytes, self.held_bytes)

    def let_go(self) -> None:
        self.held_bytes = 0


def sent(peer: Peer, body: bytes, path: str = INFER, **headers: str) -> Answer:
    peer.open(1, path, **headers)
    peer.send(frame(DATA, END_STREAM, 1, body))
    return peer.answer(1)


def test_status_codes_are_those_of_grpc() -> None:
    assert {code.name: int(code) for code in StatusCode} == {
        code.name: code.value[0]
        for code in grpc.StatusCode
        if code.name not in {"OUT_OF_RANGE", "DATA_LOSS"}
    }


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress)],
    ids=["gzip", "deflate"],
)
def test_compressed_requests_are_unpacked(peer: Peer, encoding: str, pack: object) -> None:
    assert callable(pack)
    body = prefixed(pack(request(5000)), flag=1)
    assert len(echoed(sent(peer, body, grpc_encoding=encoding))) == 5000


def test_grpc_clients_that_compress_are_answered(server: GrpcCaller) -> None:
    call = server.channel.unary_unary(INFER)
    answer = call(request(5000), timeout=TIMEOUT_S, compression=grpc.Compression.Gzip)
    assert pb.ModelInferResponse.FromString(answer).raw_output_contents == [bytes(5000)]


@pytest.mark.parametrize(
    ("body", "headers", "code", "text"),
    [
        (b"", {}, "INTERNAL", "none came"),
        (b"\0\0\0", {}, "INTERNAL", "ended in the middle of a message"),
        (prefixed(b"abc")[:-1], {}, "INTERNAL", "ended in the middle of a message"),
        (prefixed(b"abc")[:-1], {"path": STREAM}, "INTERNAL", "ended in the middle of a message"),
        (prefixed(b"") * 2, {}, "INTERNAL", "one message, not more"),
        (prefixed(b"x", flag=1), {}, "INTERNAL", "does not say how"),
        (prefixed(b"x", flag=2), {}, "INTERNAL", "does not say how"),
        (prefixed(b"x", flag=1), {"grpc_encoding": "gzip"}, "INTERNAL", "no gzip"),
        (
            prefixed(gzip.compress(b"x")[:-4], flag=1),
            {"grpc_encoding": "gzip"},
            "INTERNAL",
            "it is cut",
        ),
        (prefixed(b""), {"grpc_encoding": "zstd"}, "UNIMPLEMENTED", "'zstd' is not one of"),
        (prefixed(b""), {"grpc_timeout": "soon"}, "INTERNAL", "'soon' is no time"),
        (prefixed(b""), {"content_type": "text/plain"}, "UNIMPLEMENTED", "content-type"),
        (b"\0\xff\xff\xff\xff", {}, "RESOURCE_EXHAUSTED", "larger than max (4294967295 vs. "),
    ],
    ids=[
        "nothing",
        "part of a prefix",
        "part of a message",
        "part of a message of a stream",
        "two messages",
        "compressed, no encoding",
        "unknown flag",
        "no gzip",
        "half a gzip",
        "unknown encoding",
        "no timeout",
        "no gRPC",
        "4 GiB",
    ],
)
def test_requests_that_cannot_be_meant_end_with_a_code_and_the_connection_goes_on(
    peer: Peer, body: bytes, headers: dict[str, str], code: str, text: str
) -> None:
    answer = sent(peer, body, **headers)
    assert (StatusCode(answer.status).name, text in answer.text) == (code, True), answer.text
    peer.ask(3, LIVE)
    assert peer.answer(3).status == StatusCode.OK


def test_a_method_nobody_has_is_refused_by_name(peer: Peer) -> None:
    answer = sent(peer, prefixed(b""), path="/some.Service/Täter")
    assert answer.status == StatusCode.UNIMPLEMENTED
    assert "/some.Service/Täter" in answer.text


def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked() -> None:
    reader = MessageReader(1 << 20, "gzip")
    with pytest.raises(Ended, match=r"larger than max \(1048577 vs. 1048576\)"):
        reader.take(memoryview(prefixed(gzip.compress(bytes(50 << 20)), flag=1)))


def test_unpacked_bytes_count_as_they_come_until_the_message_is_handed_on() -> None:
    hand = CountingHand()
    reader = MessageReader(4 << 20, "gzip", hand)
    [message] = reader.take(memoryview(prefixed(gzip.compress(bytes(3 << 20)), flag=1)))
    assert (len(message), hand.most_bytes, hand.held_bytes) == (3 << 20, 3 << 20, 0)


def test_a_refused_request_need_not_be_sent_to_its_end(peer: Peer) -> None:
    peer.open(1, "/nobody/Answers")
    assert peer.answer(1).status == StatusCode.UNIMPLEMENTED
    peer.send(frame(DATA, 0, 1, bytes(1000)) + frame(DATA, END_STREAM, 1, bytes(1000)))
    peer.ask(3, LIVE)
    assert peer.answer(3).status == StatusCode.OK


def test_pieces_of_any_size_make_the_same_messages() -> None:
    messages = [b"", b"a", bytes(range(200)), b"", b"z" * 3000]
    stream = b"".join(map(prefixed, messages))
    for size in (1, 2, 3, 4, 5, 6, 7, 100, 2999, len(stream)):
        reader = MessageReader(4000)
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        read = [bytes(message) for piece in pieces for message in reader.take(memoryview(piece))]
        assert read == messages
        assert not reader.is_amid_message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2H", 7200.0), ("3M", 180.0), ("5S", 5.0), ("70m", 0.07), ("9u", 9e-6), ("8n", 8e-9)],
)
def test_timeouts_are_read_in_every_unit(text: str, seconds: float) -> None:
    head = read_head([*HEADERS_OF_A_CALL, ("grpc-timeout", text)])
    assert head.timeout_s == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "S", "5s", "-1S", "123456789S", "٣S", "1.5S"])
def test_timeouts_that_are_none_are_a_fault(text: str) -> None:
    assert read_head([*HEADERS_OF_A_CALL, ("grpc-timeout", text)]).fault is not None


def test_the_deadline_of_a_call_reaches_the_model(server: GrpcCaller, peer: Peer) -> None:
    peer.ask(1, message=request(), grpc_timeout="1H")
    assert peer.answer(1).status == StatusCode.OK
    asked = server.plane.requests[-1]
    assert asked.deadline is not None
    peer.ask(3, message=request())
    assert peer.answer(3).status == StatusCode.OK
    assert server.plane.requests[-1].deadline is None


def test_texts_of_errors_arrive_whatever_is_in_them() -> None:
    plane = FakeDataPlane(failure=ValueError("50% of “größer”\n\x7f\ud800"))
    with serving_grpc(plane) as caller, refused() as errors:
        caller.kserve("ModelInfer", pb.ModelInferRequest.FromString(request()))
    assert errors[0].code() is grpc.StatusCode.INTERNAL
    assert "50% of “größer”" in errors[0].details()


def test_long_texts_are_cut_between_characters() -> None:
    encoded = percent_encoded("ä" * 5000)
    assert len(encoded) <= 4000
    assert encoded.endswith(b"%C3%A4")


def test_an_answer_above_the_limit_is_refused() -> None:
    limit = ("grpc.max_send_message_length", 1000)
    with serving_grpc(limits=GrpcLimits(channel_arguments=(limit,))) as caller:
        with refused() as errors:
            caller.kserve("ModelInfer", pb.ModelInferRequest.FromString(request(2000)))
        assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "vs. 1000" in errors[0].details()


def test_channel_arguments_bound_messages_and_connections() -> None:
    given = (("grpc.max_receive_message_length", -1), ("grpc.max_connection_age_ms", 2000))
    assert message_limits(given).received_bytes == (1 << 32) - 1
    assert lifetimes(given).age_s == 2.0
    assert lifetimes((("grpc.max_connection_age_ms", (1 << 31) - 1),)).age_s == float("inf")


def test_bytes_are_taken_from_the_room_that_was_offered_for_them() -> None:
    reader = MessageReader(1 << 20)
    assert reader.room(10) is None  # nothing is under way
    assert reader.take(memoryview(prefixed(b"a message"))[:7]) == []
    for piece in (b"mess", b"age"):
        room = reader.room(len(piece))
        assert room is not None
        room[:] = piece
        whole = reader.take(room)
    assert bytes(whole[0]) == b"a message"
    assert reader.room(1) is None


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

    threads: set[str] = field(default_factory=set)

    def infer(self, request: InferRequest) -> InferResult:
        self.threads.add(threading.current_thread().name)
        return super().infer(request)


def test_quick_answers_are_given_by_the_thread_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_QUICK_S", 3600.0)
    monkeypatch.setattr(pace, "_TRUSTED", 0)
    plane = ThreadsPlane()
    with serving_grpc(plane) as caller, connected(caller.port) as peer:
        for number in range(1, 21, 2):
            peer.ask(number, message=request())
            assert peer.answer(number).status == StatusCode.OK
    assert plane.threads <= {"grpc-read", "grpc-relief"}


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
            answer = sent(second, body)
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
