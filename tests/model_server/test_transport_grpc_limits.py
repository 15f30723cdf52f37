"""What the gRPC front bears: large messages, malformed ones, busy threads, clients that leave."""

import threading
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.errors import ServerBusy
from camfleet_server.transports.grpc import calls
from camfleet_server.transports.grpc.calls import MessageQuota
from camfleet_server.transports.grpc.server import GrpcLimits
from camfleet_server.transports.http2.frames import (
    HEADERS,
    INITIAL_WINDOW_SIZE,
    NUMBER,
    RST_STREAM,
    ErrorCode,
    settings,
    window_update,
)
from fakes_model_server import FakeDataPlane
from http2_peer import connected, echoed
from transport_callers import KSERVE, PREDICTION, GrpcCaller, refused, serving_grpc
from waiting import wait_until
from waiting_plane import WaitingPlane

END_S = 60


@pytest.fixture
def plane() -> Iterator[WaitingPlane]:
    waiting = WaitingPlane()
    yield waiting
    waiting.opened.set()


def request(size: int = 2) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name="echo")
    message.inputs.add(name="text", datatype="UINT8", shape=[size])
    message.raw_input_contents.append(bytes(size))
    return message


def infer_later(caller: GrpcCaller, message: pb.ModelInferRequest) -> grpc.Future:
    unary = caller.channel.unary_unary(f"{KSERVE}/ModelInfer")
    return unary.future(message.SerializeToString(), timeout=END_S)


@pytest.mark.parametrize(
    ("method", "data", "text"),
    [
        (f"{KSERVE}/ModelInfer", b"\x3a\xff\xff\xff\xff\x7f", "Expected: a ModelInferRequest"),
        (f"{PREDICTION}/Predict", b"\x12\x0f\x0a\x05image", "Expected: a PredictRequest"),
    ],
    ids=["ModelInfer", "Predict"],
)
def test_bytes_that_are_no_request_are_an_invalid_argument(
    method: str, data: bytes, text: str
) -> None:
    with serving_grpc() as caller, refused() as errors:
        caller.channel.unary_unary(method)(data, timeout=END_S)
    assert errors[0].code() is grpc.StatusCode.INVALID_ARGUMENT
    assert text in errors[0].details()


def test_a_message_above_the_limit_is_refused_and_the_server_lives_on() -> None:
    limit = ("grpc.max_receive_message_length", 1 << 16)
    with serving_grpc(limits=GrpcLimits(channel_arguments=(limit,))) as caller:
        with refused() as errors:
            caller.kserve("ModelInfer", request(1 << 17))
        assert caller.kserve("ModelInfer", request()).model_name == "echo"
    assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in errors[0].details()


def test_more_bytes_than_the_quota_are_refused_while_others_are_in_hand(
    plane: WaitingPlane,
) -> None:
    with serving_grpc(plane, limits=GrpcLimits(quota_bytes=1_000_000)) as caller:
        first = infer_later(caller, request(600_000))
        wait_until(lambda: plane.requests, END_S, "the first request to wait")
        with refused() as errors:
            caller.kserve("ModelInfer", request(600_000))
        plane.opened.set()
        assert first.result(END_S)
        assert caller.kserve("ModelInfer", request(600_000)).model_name == "echo"
    assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "would exceed the 1 MB of --grpc_memory_quota" in errors[0].details()


def test_one_message_alone_fits_into_any_quota_and_small_ones_are_not_counted() -> None:
    quota = MessageQuota(1)
    with quota.holding(1 << 30), quota.holding(1000), pytest.raises(ServerBusy):
        quota.holding(1 << 20).__enter__()
    with quota.holding(1 << 20):
        pass


def test_answers_that_a_client_does_not_take_are_dropped_beyond_the_quota() -> None:
    plane = FakeDataPlane(answer={"text": np.zeros(400_000, np.uint8)})
    limits = GrpcLimits(quota_bytes=1_000_000)
    with (
        serving_grpc(plane, limits=limits) as caller,
        connected(caller.port, values={INITIAL_WINDOW_SIZE: 0}) as peer,
    ):
        for number in (1, 3):
            peer.ask(number, message=request().SerializeToString())
            peer.until(HEADERS, number)
        peer.ask(5, message=request().SerializeToString())
        dropped = peer.until(RST_STREAM, 5)
        assert NUMBER.unpack(dropped.payload)[0] == ErrorCode.ENHANCE_YOUR_CALM
        peer.send(settings({INITIAL_WINDOW_SIZE: 1 << 20}) + window_update(0, 1 << 22))
        assert [len(echoed(peer.answer(number))) for number in (1, 3)] == [400_000] * 2
        peer.ask(7, message=request().SerializeToString())
        assert len(echoed(peer.answer(7))) == 400_000


def test_memory_of_huge_messages_is_given_back_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back = threading.Event()
    monkeypatch.setattr(calls, "_TRIMMED_BYTES", 1 << 20)
    monkeypatch.setattr(calls, "_TRIMMED_AFTER_S", 0.0)
    monkeypatch.setattr(calls, "trim_memory", given_back.set)
    quota = MessageQuota(1 << 30)
    with quota.holding(1 << 19):
        pass
    assert quota._trimming is None
    with quota.holding(1 << 20):
        pass
    assert given_back.wait(END_S)


def test_memory_of_refused_huge_messages_is_given_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_TRIMMED_BYTES", 1 << 20)
    quota = MessageQuota(1)
    with quota.holding(1 << 19), pytest.raises(ServerBusy):
        quota.holding(1 << 20).__enter__()
    assert quota._trimming is not None
    quota._trimming.cancel()


def test_memory_is_given_back_after_the_last_of_several_huge_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "_TRIMMED_BYTES", 1 << 20)
    quota = MessageQuota(1 << 30)
    with quota.holding(1 << 20):
        pass
    too_early = quota._trimming
    with quota.holding(1 << 20):
        pass
    assert too_early is not None
    assert quota._trimming is not None
    assert too_early.finished.is_set()
    assert not quota._trimming.finished.is_set()
    quota._trimming.cancel()


def test_health_is_told_while_every_thread_of_the_calls_is_busy(plane: WaitingPlane) -> None:
    with serving_grpc(plane, limits=GrpcLimits(threads=1)) as caller:
        waiting = infer_later(caller, request())
        wait_until(lambda: plane.requests, END_S, "the request to wait")
        assert caller.kserve("ServerLive", pb.ServerLiveRequest()).live
        assert caller.kserve("ServerReady", pb.ServerReadyRequest()).ready
        plane.opened.set()
        assert waiting.result(END_S)


def test_a_waiting_request_learns_that_its_client_went_away(plane: WaitingPlane) -> None:
    with serving_grpc(plane) as caller:
        call = infer_later(caller, request())
        wait_until(lambda: plane.requests, END_S, "the request to wait")
        call.cancel()
        assert plane.abandoned.wait(END_S)
        plane.abandoned.clear()
        assert caller.kserve("ModelInfer", request()).model_name == "echo"
