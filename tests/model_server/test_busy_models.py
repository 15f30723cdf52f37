"""One busy model: its queue refuses, other models are answered, and every turn is given back."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from busy_plane import LIMIT_S, SLOW, BusyPlane
from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.grpc import streams
from camfleet_server.transports.grpc.server import GrpcLimits
from transport_callers import KSERVE, GrpcCaller, refused, serving_grpc, serving_rest
from waiting import wait_until

PROMPT_S = 20  # far below LIMIT_S, which the slow model takes
BEYOND_LOCKS_US = 1 << 62


@pytest.fixture
def plane() -> Iterator[BusyPlane]:
    busy = BusyPlane()
    yield busy
    busy.opened.set()


def request(model: str = SLOW, timeout_us: int = 0) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name=model)
    names = {"increment": ["image"], "pair": ["left", "right"]}.get(model, ["text"])
    for name in names:
        message.inputs.add(name=name, datatype="UINT8", shape=[2])
        message.raw_input_contents.append(b"ab")
    message.parameters["timeout"].int64_param = timeout_us
    return message


def infer_later(caller: GrpcCaller, count: int, **fields: Any) -> list[grpc.Future]:
    unary = caller.channel.unary_unary(f"{KSERVE}/ModelInfer")
    data = request(**fields).SerializeToString()
    return [unary.future(data, timeout=LIMIT_S) for _ in range(count)]


def code_of(call: grpc.Future) -> grpc.StatusCode:
    call.exception(LIMIT_S)
    code: grpc.StatusCode = call.code()
    return code


def is_refused(call: grpc.Future) -> bool:
    return bool(call.done() and call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED)


def test_queue_of_a_busy_model_refuses_over_grpc_and_other_models_answer_meanwhile(
    plane: BusyPlane,
) -> None:
    with serving_grpc(plane) as caller:
        slow = infer_later(caller, 300)
        wait_until(lambda: sum(map(is_refused, slow)) == 43, LIMIT_S, "the queue to refuse")
        metadata = pb.ModelMetadataRequest(name="pair")
        assert caller.kserve("ModelMetadata", metadata, timeout_s=PROMPT_S).name == "pair"
        answer = caller.kserve("ModelInfer", request("increment"), timeout_s=PROMPT_S)
        plane.opened.set()
        codes = Counter(map(code_of, slow))
    assert answer.model_name == "increment"
    assert codes == {grpc.StatusCode.OK: 257, grpc.StatusCode.RESOURCE_EXHAUSTED: 43}
    assert "Exceeds maximum queue size" in next(c for c in slow if is_refused(c)).details()


def test_calls_beyond_those_that_may_wait_for_a_thread_are_refused(plane: BusyPlane) -> None:
    with serving_grpc(plane, limits=GrpcLimits(threads=1, waiting=2)) as caller:
        slow = infer_later(caller, 5)
        wait_until(lambda: sum(map(is_refused, slow)) == 2, LIMIT_S, "the front to refuse")
        with refused() as errors:
            caller.kserve("ModelInfer", request("pair"), timeout_s=PROMPT_S)
        metadata = pb.ModelMetadataRequest(name="pair")
        assert caller.kserve("ModelMetadata", metadata, timeout_s=PROMPT_S).name == "pair"
        plane.opened.set()
        assert Counter(map(code_of, slow))[grpc.StatusCode.OK] == 3
        assert caller.kserve("ModelInfer", request()).model_name == SLOW
    assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "2 calls wait for a thread" in errors[0].details()


def test_stream_goes_on_while_streams_of_a_busy_model_hold_every_worker(
    plane: BusyPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_SLOW_S", 0.0)
    with serving_grpc(plane, limits=GrpcLimits(ahead=2)) as caller, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(caller.stream, [request("pair"), *[request()] * 4])
        wait_until(lambda: plane.scheduler.waiting, LIMIT_S, "the workers to be taken")
        assert len(caller.stream([request("increment")] * 40)) == 40
        assert not busy.done()
        plane.opened.set()
        assert len(busy.result(LIMIT_S)) == 5


def test_timeout_that_no_lock_can_wait_costs_no_turn_in_a_stream(
    plane: BusyPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_SLOW_S", 0.0)
    ahead = [request("increment"), *[request(timeout_us=BEYOND_LOCKS_US)] * 4]
    with serving_grpc(plane) as caller, ThreadPoolExecutor(1) as pool:
        answered = pool.submit(caller.stream, ahead)
        wait_until(lambda: plane.scheduler.waiting == 3, LIMIT_S, "the requests to wait")
        plane.opened.set()
        assert [answer.error_message for answer in answered.result(LIMIT_S)] == [""] * 5
    assert (plane.scheduler.running, plane.scheduler.waiting) == (0, 0)


@pytest.mark.parametrize("timeout_us", [BEYOND_LOCKS_US, 10**400], ids=["2**62", "10**400"])
def test_timeout_that_no_lock_can_wait_costs_no_turn_over_rest(
    plane: BusyPlane, timeout_us: int
) -> None:
    tensor = {"name": "text", "datatype": "UINT8", "shape": [1], "data": [7]}
    body = {"inputs": [tensor], "parameters": {"timeout": timeout_us}}
    with serving_rest(plane) as caller, ThreadPoolExecutor(4) as pool:
        path = f"/v2/models/{SLOW}/infer"
        asked = [pool.submit(caller.post, path, json=body) for _ in range(4)]
        wait_until(lambda: plane.scheduler.waiting == 3, LIMIT_S, "the requests to wait")
        plane.opened.set()
        assert [answer.result(LIMIT_S).status_code for answer in asked] == [200] * 4
    assert (plane.scheduler.running, plane.scheduler.waiting) == (0, 0)
