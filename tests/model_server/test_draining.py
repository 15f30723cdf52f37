"""The end of the server: nothing new is taken, what is in flight is answered."""

import contextlib
import queue
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.config_source import SingleModel
from camfleet_server.reload.reconciler import Reconciler, ReconcilerOptions
from camfleet_server.serving.registry import Registry
from camfleet_server.transports.draining import Drain
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane
from model_volume import LOAD_LIMIT_S, save_adder
from processes import running
from transport_callers import KSERVE, TIMEOUT_S
from waiting import wait_until

LONG_S = 300.0


@dataclass
class HeldPlane(FakeDataPlane):
    """Holds every inference until it is released."""

    released: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)

    def infer(self, request: InferRequest) -> InferResult:
        answer = super().infer(request)
        assert request.on_abandoned is None or request.on_abandoned(self.abandoned.set)
        assert self.released.wait(TIMEOUT_S)
        return answer


class Ending:
    """Both transports in front of one plane, and the drain that ends them."""

    def __init__(self) -> None:
        self.plane = HeldPlane()
        metrics = ServerMetrics()
        self._grpc = GrpcServer(self.plane, metrics)
        self._rest = RestServer(build_app(self.plane, metrics))
        self.grpc_port = self._grpc.bind("127.0.0.1", 0)
        self.rest_port = self._rest.bind("127.0.0.1", 0)
        self._grpc.start()
        self._rest.start()
        self._pool = ThreadPoolExecutor(4)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")

    def drain(self, timeout_s: float) -> "Future[None]":
        drain = Drain(timeout_s)
        drain.add(self._grpc.stop)
        drain.add(self._rest.stop)
        return self._pool.submit(drain.run)

    def ask_grpc(self) -> "Future[Any]":
        infer = self._channel.unary_unary(
            f"{KSERVE}/ModelInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelInferResponse.FromString,
        )
        return self._pool.submit(infer, _request(), timeout=TIMEOUT_S)

    def ask_rest(self) -> "Future[httpx.Response]":
        url = f"http://127.0.0.1:{self.rest_port}/v2/models/echo/infer"
        tensor = {"name": "text", "datatype": "UINT8", "shape": [1], "data": [7]}
        return self._pool.submit(
            httpx.post, url, json={"inputs": [tensor]}, timeout=TIMEOUT_S, trust_env=False
        )

    def open_stream(self) -> tuple[Any, "queue.SimpleQueue[pb.ModelInferRequest | None]"]:
        requests: queue.SimpleQueue[pb.ModelInferRequest | None] = queue.SimpleQueue()
        infer = self._channel.stream_stream(
            f"{KSERVE}/ModelStreamInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelStreamInferResponse.FromString,
        )
        return infer(iter(requests.get, None), timeout=TIMEOUT_S), requests

    def close(self) -> None:
        self.plane.released.set()
        self._channel.close()
        self._grpc.stop(0)
        self._rest.stop(0)
        self._pool.shutdown()


def _request() -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name="echo")
    message.inputs.add(name="text", datatype="UINT8", shape=[1])
    message.raw_input_contents.append(b"\7")
    return message


def _is_closed(port: int) -> bool:
    """Look from aside: a connection made while the port closes would be left over."""
    opened = psutil.Process().net_connections("tcp")
    return not any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in opened)


@pytest.fixture
def ending() -> Iterator[Ending]:
    ending = Ending()
    yield ending
    ending.close()


def test_requests_in_flight_are_answered_and_new_ones_refused(ending: Ending) -> None:
    asked = ending.ask_grpc(), ending.ask_rest()
    wait_until(lambda: len(ending.plane.requests) == 2, TIMEOUT_S, "both requests")
    drained = ending.drain(LONG_S)
    for port in (ending.grpc_port, ending.rest_port):
        wait_until(partial(_is_closed, port), TIMEOUT_S, f"port {port} to be closed")
    assert not drained.done()
    ending.plane.released.set()
    assert asked[0].result().raw_output_contents == [b"\7"]
    assert asked[1].result().json()["outputs"][0]["data"] == [7]
    drained.result(TIMEOUT_S)


def test_what_takes_longer_than_the_limit_is_cut(ending: Ending) -> None:
    asked = ending.ask_grpc()
    wait_until(lambda: ending.plane.requests, TIMEOUT_S, "the request")
    ending.drain(0.1).result(TIMEOUT_S)
    with pytest.raises(grpc.RpcError):
        asked.result()


def test_rest_tells_who_is_cut_to_come_back_and_waits_for_no_turn(ending: Ending) -> None:
    asked = ending.ask_rest()
    wait_until(lambda: ending.plane.requests, TIMEOUT_S, "the request")
    ending.drain(0.1).result(TIMEOUT_S)
    response = asked.result()
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json() == {"error": "the server is stopping"}
    assert ending.plane.abandoned.is_set()


def test_threads_that_still_infer_are_known_at_the_end(tmp_path: Path) -> None:
    save_adder(tmp_path / "adder" / "1", addend=1)
    registry, source = Registry(), SingleModel(ModelConfig(name="a", base_path=tmp_path / "adder"))
    reconciler = Reconciler(source, registry, ServerMetrics(), ReconcilerOptions())
    reconciler.start()
    reconciler.reload(LOAD_LIMIT_S)
    with registry.get_version("a", None).scheduler.turn(InferRequest("a", {})):
        reconciler.stop()
        assert reconciler.is_stuck
    assert not reconciler.is_stuck


def test_stream_that_is_merely_open_does_not_hold_up_the_end(ending: Ending) -> None:
    ending.plane.released.set()
    stream, requests = ending.open_stream()
    requests.put(_request())
    next(stream)
    ending.drain(LONG_S).result(TIMEOUT_S)
    # Cut off, or ended in order where the drain came before the answer was counted.
    with contextlib.suppress(grpc.RpcError):
        assert next(stream, None) is None
    requests.put(None)


def test_stream_is_answered_to_the_last_request_it_sent(ending: Ending) -> None:
    stream, requests = ending.open_stream()
    requests.put(_request())
    wait_until(lambda: ending.plane.requests, TIMEOUT_S, "the request")
    drained = ending.drain(LONG_S)
    wait_until(lambda: _is_closed(ending.grpc_port), TIMEOUT_S, "the port to be closed")
    ending.plane.released.set()
    assert next(stream).infer_response.raw_output_contents == [b"\7"]
    drained.result(TIMEOUT_S)
    assert next(stream, None) is None
    requests.put(None)


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"model_config_list": []}')
    options = ["--port", "0", "--rest_port", "auto", "--config_path", str(config)]
    with running("camfleet-server", *options) as server:
        port = int(server.logged(r"rest=\S+:(\d+)").group(1))
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as client:
            client.sendall(
                b"POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
                b"Expect: 100-continue\r\n\r\n"
            )
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # the request is in hand
            server.process.send_signal(signal.SIGTERM)
            server.logged("stopping signal=SIGTERM")
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == -signal.SIGTERM
