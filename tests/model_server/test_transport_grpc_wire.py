"""gRPC on top of HTTP/2: prefixes, compression, deadlines, texts of errors, limits of messages."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.grpc.channel_arguments import lifetimes, message_limits
from camfleet_server.transports.grpc.messages import MessageReader
from camfleet_server.transports.grpc.requests import read_head
from camfleet_server.transports.grpc.server import GrpcLimits
from camfleet_server.transports.grpc.status import Ended, StatusCode, percent_encoded
from camfleet_server.transports.http2.frames import (
    DATA,
    END_STREAM,
    frame,
)
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

HEADERS_OF_A_CALL = [(":method", "POST"), (":path", INFER), ("content-type", "application/grpc")]


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


@pytest.fixture
def peer(server: GrpcCaller) -> Iterator[Peer]:
    with connected(server.port) as connected_peer:
        yield connected_peer


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
        (prefixed(b"x", flag=1), {"grpc_encoding": "gzip"}, "INTERNAL", "not valid gzip"),
        (
            prefixed(gzip.compress(b"x")[:-4], flag=1),
            {"grpc_encoding": "gzip"},
            "INTERNAL",
            "it is cut",
        ),
        (prefixed(b""), {"grpc_encoding": "zstd"}, "UNIMPLEMENTED", "'zstd' is not one of"),
        (prefixed(b""), {"grpc_timeout": "soon"}, "INTERNAL", "'soon' is not a time"),
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
        "not valid gzip",
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
