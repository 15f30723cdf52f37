"""ModelStreamInfer: order, errors, reading ahead, many streams, and clients that go away."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.grpc import streams
from camfleet_server.transports.grpc.server import GrpcLimits
from transport_callers import KSERVE, GrpcCaller, refused, serving_grpc
from waiting import wait_until
from waiting_plane import WaitingPlane

END_S = 60


def request(request_id: str = "", model: str = "echo") -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name=model, id=request_id)
    message.inputs.add(name="text", datatype="UINT8", shape=[2])
    message.raw_input_contents.append(b"ab")
    return message


class OpenStream:
    """One stream that stays open until it is told to end."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._requests: queue.SimpleQueue[pb.ModelInferRequest | None] = queue.SimpleQueue()
        infer = channel.stream_stream(
            f"{KSERVE}/ModelStreamInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelStreamInferResponse.FromString,
        )
        self.call = infer(iter(self._requests.get, None), timeout=END_S)

    def send(self, message: pb.ModelInferRequest) -> None:
        self._requests.put(message)

    def receive(self) -> Any:
        return next(self.call)

    def end(self) -> None:
        self._requests.put(None)


@contextmanager
def open_streams(channel: grpc.Channel, count: int) -> Iterator[list[OpenStream]]:
    opened = [OpenStream(channel) for _ in range(count)]
    try:
        yield opened
    finally:
        for stream in opened:
            stream.end()


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc(limits=GrpcLimits(threads=2)) as caller:
        yield caller


@pytest.fixture
def reading_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_SLOW_S", 0.0)


def test_idle_streams_leave_health_and_calls_their_threads(server: GrpcCaller) -> None:
    with open_streams(server.channel, 200) as opened:
        for stream in opened:
            stream.send(request("first"))
        assert {stream.receive().infer_response.id for stream in opened} == {"first"}
        assert server.kserve("ServerLive", pb.ServerLiveRequest()).live
        assert server.kserve("ModelInfer", request("unary")).id == "unary"


def test_a_stream_above_the_bound_is_refused_until_another_ends() -> None:
    limits = GrpcLimits(streams=1)
    with serving_grpc(limits=limits) as caller, open_streams(caller.channel, 1) as opened:
        opened[0].send(request())
        opened[0].receive()
        with refused() as errors:
            caller.stream([request()])
        opened[0].end()
        answers = wait_until(lambda: answers_of(caller), END_S, "the stream that ended to be over")
    assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "1 streams are open already" in errors[0].details()
    assert len(answers) == 1


def answers_of(caller: GrpcCaller) -> list[Any]:
    try:
        return caller.stream([request()])
    except grpc.RpcError:
        return []


def test_malformed_bytes_end_their_request_and_not_the_stream(server: GrpcCaller) -> None:
    infer = server.channel.stream_stream(f"{KSERVE}/ModelStreamInfer")
    good = request("2").SerializeToString()
    raw = infer(iter([b"\x3a\xff\xff", good]), timeout=END_S)
    answers = [pb.ModelStreamInferResponse.FromString(answer) for answer in raw]
    assert "Expected: a ModelInferRequest" in answers[0].error_message
    assert answers[0].HasField("infer_response")
    assert answers[1].infer_response.id == "2"


@pytest.mark.usefixtures("reading_ahead")
def test_requests_of_a_slow_stream_run_together_and_are_answered_in_order() -> None:
    plane = WaitingPlane()
    plane.opened.set()
    with serving_grpc(plane) as caller, open_streams(caller.channel, 1) as opened:
        opened[0].send(request("0"))
        opened[0].receive()
        plane.together = threading.Barrier(4)
        for number in range(1, 5):
            opened[0].send(request(str(number)))
        answers = [opened[0].receive() for _ in range(4)]
    assert [answer.infer_response.id for answer in answers] == ["1", "2", "3", "4"]


@pytest.mark.usefixtures("reading_ahead")
def test_an_error_keeps_its_place_among_answers_read_ahead(server: GrpcCaller) -> None:
    answers = server.stream([request(str(n), "echo" if n % 3 else "nope") for n in range(40)])
    assert [answer.infer_response.id for answer in answers] == [str(n) for n in range(40)]
    assert [bool(answer.error_message) for answer in answers] == [n % 3 == 0 for n in range(40)]


@pytest.mark.parametrize("ahead", [False, True], ids=["in turn", "read ahead"])
def test_a_request_whose_stream_was_cancelled_learns_it(
    monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    monkeypatch.setattr(streams, "_SLOW_S", 0.0 if ahead else 3600.0)
    plane = WaitingPlane()
    plane.opened.set()
    with serving_grpc(plane) as caller, open_streams(caller.channel, 1) as opened:
        opened[0].send(request())
        opened[0].receive()
        plane.opened.clear()
        opened[0].send(request())
        wait_until(lambda: len(plane.requests) == 2, END_S, "the request to wait")
        opened[0].call.cancel()
        assert plane.abandoned.wait(END_S)


def test_a_stream_of_many_requests_keeps_no_callback_of_those_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends: list[Any] = []
    made = streams._StreamEnd

    def remembering() -> Any:
        ends.append(made())
        return ends[-1]

    monkeypatch.setattr(streams, "_StreamEnd", remembering)
    plane = WaitingPlane()
    plane.opened.set()
    with serving_grpc(plane) as caller:
        assert len(caller.stream([request()] * 50)) == 50
    assert ends[0]._callbacks == {}
