"""HTTP/2 as clients speak it, and as they should not: each fault ends what it must and no more."""

import socket
import threading
from collections.abc import Iterator

import pytest

from camfleet_server.transports.grpc.server import GrpcLimits
from camfleet_server.transports.http2.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    NUMBER,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    ErrorCode,
    frame,
    reset,
    settings,
    window_update,
)
from camfleet_server.transports.http2.headers import literal
from http2_peer import LIVE, TIMEOUT_S, Peer, connected, echoed, prefixed, request
from transport_callers import GrpcCaller, serving_grpc
from waiting import wait_until

UNKNOWN_KIND = 0xFA


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


@pytest.fixture
def peer(server: GrpcCaller) -> Iterator[Peer]:
    with connected(server.port) as connected_peer:
        yield connected_peer


def is_answered(peer: Peer, number: int) -> bool:
    peer.ask(number, message=request())
    return echoed(peer.answer(number)) == bytes(2)


def test_settings_and_pings_are_acknowledged(peer: Peer) -> None:
    peer.until(SETTINGS, flags=ACK)
    peer.send(frame(PING, 0, 0, b"12345678"))
    assert peer.until(PING, flags=ACK).payload == b"12345678"


def test_an_answer_is_headers_a_message_and_trailers(peer: Peer) -> None:
    peer.ask(1, message=request())
    answer = peer.answer(1)
    assert answer.headers == {
        ":status": "200",
        "content-type": "application/grpc",
        "grpc-status": "0",
    }
    assert echoed(answer) == bytes(2)


def test_frames_that_say_nothing_to_us_are_ignored(peer: Peer) -> None:
    peer.send(frame(PRIORITY, 0, 1, bytes(5)) + frame(UNKNOWN_KIND, 0, 7, b"later") + goodbye())
    assert is_answered(peer, 1)


def goodbye() -> bytes:
    return frame(GOAWAY, 0, 0, bytes(8))


def test_padding_and_priority_are_taken_off(peer: Peer) -> None:
    head = b"\x03" + bytes(5) + peer.head() + bytes(3)
    peer.send(frame(HEADERS, END_HEADERS | PADDED | WITH_PRIORITY, 1, head))
    body = prefixed(request())
    peer.send(frame(DATA, PADDED, 1, b"\x05" + body[:9] + bytes(5)))
    peer.send(frame(DATA, PADDED | END_STREAM, 1, b"\x00" + body[9:]))
    assert echoed(peer.answer(1)) == bytes(2)


def test_a_header_block_may_come_in_parts(peer: Peer) -> None:
    head = peer.head()
    peer.send(frame(HEADERS, 0, 1, head[:7]) + frame(CONTINUATION, 0, 1, head[7:9]))
    peer.send(frame(CONTINUATION, END_HEADERS, 1, head[9:]))
    peer.send(frame(DATA, END_STREAM, 1, prefixed(request())))
    assert echoed(peer.answer(1)) == bytes(2)


def test_bytes_may_come_one_by_one(peer: Peer) -> None:
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    whole = frame(HEADERS, END_HEADERS, 1, peer.head())
    body = prefixed(request())
    whole += frame(DATA, 0, 1, body[:3]) + frame(DATA, 0, 1) + frame(DATA, END_STREAM, 1, body[3:])
    for at in range(len(whole)):
        peer.send(whole[at : at + 1])
    assert echoed(peer.answer(1)) == bytes(2)


def test_trailers_of_a_client_end_its_request(peer: Peer) -> None:
    peer.open(1)
    peer.send(frame(DATA, 0, 1, prefixed(request())))
    trailers = peer.encoder.encode([("x-done", "yes")])
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, trailers))
    assert echoed(peer.answer(1)) == bytes(2)


def test_equal_blocks_say_something_else_once_the_table_has_changed(peer: Peer) -> None:
    newest = b"\xbe"  # index 62, whatever was learnt last
    common = b"\x83\x86" + literal(b"content-type", b"application/grpc")
    for number, path in ((1, LIVE), (9, "/nobody/Answers")):
        learn = b"\x44" + bytes((len(path),)) + path.encode()  # :path, into the table
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, number, common + learn))
        peer.answer(number)
        asked = number + 4
        peer.send(frame(HEADERS, END_HEADERS, asked, common + newest))
        peer.send(frame(DATA, END_STREAM, asked, prefixed(b"")))
        expected = 0 if path == LIVE else 12
        assert peer.answer(asked).status == expected


def test_an_answer_waits_for_the_window_of_its_stream(server: GrpcCaller) -> None:
    with connected(server.port, values={INITIAL_WINDOW_SIZE: 10}) as peer:
        peer.ask(1, message=request(100_000))
        assert len(peer.until(DATA, 1).payload) == 10
        peer.send(frame(PING, 0, 0, bytes(8)))
        peer.until(PING, flags=ACK)  # and no DATA before it is told
        peer.send(window_update(1, 50_000))
        received = 10
        while received < 50_010:
            received += len(peer.until(DATA, 1).payload)
        peer.send(window_update(1, 1_000_000) + window_update(0, 1_000_000))
        assert peer.answer(1).status == 0


def test_an_answer_waits_for_the_window_of_the_connection(server: GrpcCaller) -> None:
    with connected(server.port, values={INITIAL_WINDOW_SIZE: 1 << 20}) as peer:
        peer.ask(1, message=request(100_000))
        received = 0
        while received < 65_535:
            received += len(peer.until(DATA, 1).payload)
        assert received == 65_535
        assert is_answered_after(peer, window_update(0, 100_000))


def is_answered_after(peer: Peer, frames: bytes) -> bool:
    peer.send(frames)
    return peer.answer(1).status == 0


def test_a_window_may_shrink_below_nothing_and_open_again(server: GrpcCaller) -> None:
    with connected(server.port, values={INITIAL_WINDOW_SIZE: 30_000}) as peer:
        peer.ask(1, message=request(100_000))
        received = 0
        while received < 30_000:
            received += len(peer.until(DATA, 1).payload)
        peer.send(settings({INITIAL_WINDOW_SIZE: 0}))
        peer.until(SETTINGS, flags=ACK)
        peer.send(window_update(1, 30_000) + window_update(0, 200_000))
        peer.send(settings({INITIAL_WINDOW_SIZE: 200_000, MAX_FRAME_SIZE: 1 << 20}))
        assert peer.answer(1).status == 0


def test_small_answers_pass_a_large_one_that_waits(server: GrpcCaller) -> None:
    with connected(server.port, values={INITIAL_WINDOW_SIZE: 1000}) as peer:
        peer.ask(1, message=request(100_000))
        peer.until(DATA, 1)
        assert is_answered(peer, 3)
        peer.send(reset(1, ErrorCode.CANCEL))
        assert is_answered(peer, 5)


def test_windows_are_opened_for_requests_larger_than_they_are(peer: Peer) -> None:
    size = 9_000_000
    peer.open(1)
    body = prefixed(request(size))
    window = 4 << 20
    for at in range(0, len(body), 16_384):
        piece = body[at : at + 16_384]
        while window < len(piece):
            window += NUMBER.unpack(peer.until(WINDOW_UPDATE, 1).payload)[0]
        window -= len(piece)
        peer.send(frame(DATA, END_STREAM if at + 16_384 >= len(body) else 0, 1, piece))
    peer.send(window_update(0, 1 << 24) + window_update(1, 1 << 24))
    assert len(echoed(peer.answer(1))) == size


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (frame(DATA, 0, 1, b"x"), ErrorCode.PROTOCOL_ERROR),
        (frame(DATA, 0, 0, b"x"), ErrorCode.PROTOCOL_ERROR),
        (frame(DATA, PADDED, 1, b"\x09x"), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, END_HEADERS, 2, b""), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, END_HEADERS, 0, b""), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, END_HEADERS | PADDED, 1, b""), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, b"12"), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff"), ErrorCode.COMPRESSION_ERROR),
        (frame(HEADERS, END_HEADERS, 1, b"\x7f\xff\xff"), ErrorCode.COMPRESSION_ERROR),
        (frame(HEADERS, 0, 1, b"") + frame(PING, 0, 0, bytes(8)), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, 0, 1, b"") + frame(DATA, 0, 1, b""), ErrorCode.PROTOCOL_ERROR),
        (frame(CONTINUATION, END_HEADERS, 1, b""), ErrorCode.PROTOCOL_ERROR),
        (frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4)), ErrorCode.PROTOCOL_ERROR),
        (frame(PRIORITY, 0, 1, b"1"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(RST_STREAM, 0, 1, b"1"), ErrorCode.FRAME_SIZE_ERROR),
        (reset(1, ErrorCode.CANCEL), ErrorCode.PROTOCOL_ERROR),
        (frame(SETTINGS, 0, 0, b"1"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(SETTINGS, 0, 1, b""), ErrorCode.FRAME_SIZE_ERROR),
        (settings({INITIAL_WINDOW_SIZE: 1 << 31}), ErrorCode.FLOW_CONTROL_ERROR),
        (settings({MAX_FRAME_SIZE: 1}), ErrorCode.PROTOCOL_ERROR),
        (frame(PING, 0, 0, b"1"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(PING, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
        (frame(GOAWAY, 0, 0, b"1"), ErrorCode.FRAME_SIZE_ERROR),
        (window_update(0, 0), ErrorCode.FLOW_CONTROL_ERROR),
        (window_update(0, (1 << 31) - 1), ErrorCode.FLOW_CONTROL_ERROR),
        (window_update(1, 1), ErrorCode.PROTOCOL_ERROR),
        (b"\x00\xff\xff\x01\x04\x00\x00\x00\x01", ErrorCode.FRAME_SIZE_ERROR),
        (b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", ErrorCode.FRAME_SIZE_ERROR),
    ],
    ids=lambda value: value.name if isinstance(value, ErrorCode) else value.hex()[6:26],
)
def test_a_broken_protocol_ends_the_connection_with_its_code_and_others_go_on(
    server: GrpcCaller, peer: Peer, fault: bytes, code: ErrorCode
) -> None:
    peer.send(fault)
    assert peer.end().code == code
    with connected(server.port) as other:
        assert is_answered(other, 1)


@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nHost: box\r\n\r\n", b"\x16\x03\x01\x02"])
def test_other_protocols_are_told_what_the_port_speaks(server: GrpcCaller, begin: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
        plain.sendall(begin)
        answer = plain.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"this port speaks gRPC" in answer


def test_a_stream_that_is_reset_costs_the_others_nothing(peer: Peer) -> None:
    peer.open(1)
    peer.send(reset(1, ErrorCode.CANCEL) + frame(DATA, END_STREAM, 1, b"late"))
    assert is_answered(peer, 3)


def test_streams_beyond_the_bound_are_refused_to_be_tried_again() -> None:
    limit = ("grpc.max_concurrent_streams", 1)
    limits = GrpcLimits(channel_arguments=(limit,))
    with serving_grpc(limits=limits) as caller, connected(caller.port) as peer:
        peer.open(1)
        peer.open(3)
        assert peer.answer(3).reset == ErrorCode.REFUSED_STREAM
        peer.send(reset(1, ErrorCode.CANCEL))
        assert is_answered(peer, 5)


@pytest.mark.parametrize(
    "flood",
    [
        frame(PING, 0, 0, bytes(8)),
        frame(SETTINGS, ACK, 0),
        frame(PRIORITY, 0, 1, bytes(5)),
        frame(UNKNOWN_KIND, 0, 0),
    ],
    ids=["PING", "SETTINGS", "PRIORITY", "unknown"],
)
def test_a_flood_of_frames_that_ask_for_nothing_is_cut_off(peer: Peer, flood: bytes) -> None:
    assert peer.is_cut_off([flood * 1000] * 60)


def test_a_rapid_reset_is_cut_off(peer: Peer) -> None:
    head = frame(HEADERS, END_HEADERS, 1, peer.head())
    peer.send(head + reset(1, ErrorCode.CANCEL))
    block = peer.head()
    pairs = (
        frame(HEADERS, END_HEADERS, number, block) + reset(number, ErrorCode.CANCEL)
        for number in range(3, 12_001, 2)
    )
    assert peer.is_cut_off(pairs)


def test_an_endless_header_block_is_cut_off(peer: Peer) -> None:
    peer.send(frame(HEADERS, 0, 1, b""))
    assert peer.is_cut_off([frame(CONTINUATION, 0, 1, b"")] * 100)


def test_a_header_bomb_is_cut_off(peer: Peer) -> None:
    first = peer.encoder.encode([("x-bomb", "a" * 3000)])
    again = peer.encoder.encode([("x-bomb", "a" * 3000)]) * 20
    assert len(again) < 100
    assert peer.is_cut_off([frame(HEADERS, END_HEADERS, 1, first + again)])


def test_a_client_that_leaves_amid_a_frame_leaves_nothing_behind(server: GrpcCaller) -> None:
    threads = threads_that_read()
    with connected(server.port) as peer:
        peer.send(frame(HEADERS, END_HEADERS, 1, peer.head())[:-3])
    with connected(server.port) as peer:
        peer.open(1)
        peer.send(frame(DATA, 0, 1, prefixed(bytes(100_000)))[:50_000])
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
        plain.sendall(PREFACE[:5])
    with connected(server.port) as other:
        assert is_answered(other, 1)
    wait_until(lambda: threads_that_read() <= threads, TIMEOUT_S, "their threads to end")


def threads_that_read() -> int:
    return sum(thread.name == "grpc-read" for thread in threading.enumerate())
