"""What REST does with too much, too slow, and clients that leave."""

import gc
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from camfleet_server.errors import Abandoned
from camfleet_server.transports.rest.server import GuardedProtocol
from camfleet_server.types import InferRequest, InferResult
from fakes_model_server import FakeDataPlane
from transport_callers import RestCaller, serving_rest
from waiting import wait_until

WAIT_S = 60
PREDICT = "/v1/models/echo:predict"
BODIES = "camfleet_server.transports.rest.bodies"
WORK = "camfleet_server.transports.rest.work"
TWENTY_BYTES = (
    b'{"inputs": [{"name": "x", "datatype": "UINT8", "shape": [20], '
    b'"parameters": {"binary_data_size": 20}}]}'
)


class HoldingPlane(FakeDataPlane):
    """Holds every inference until it is let go, or abandoned."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.abandoned = threading.Event()

    def infer(self, request: InferRequest) -> InferResult:
        self.requests.append(request)
        assert request.on_abandoned is not None
        request.on_abandoned(self._leave)
        self.go.wait(WAIT_S)
        if self.abandoned.is_set():
            raise Abandoned(request.model)
        return InferResult(request.model, 7, dict(request.inputs))

    def _leave(self) -> None:
        self.abandoned.set()
        self.go.set()


@contextmanager
def holding(workers: int = 1) -> Iterator[tuple[RestCaller, HoldingPlane]]:
    plane = HoldingPlane()
    with serving_rest(plane=plane, workers=workers) as caller:
        yield caller, plane
        plane.go.set()


def is_reached(plane: HoldingPlane) -> Callable[[], bool]:
    return lambda: bool(plane.requests)


@pytest.fixture(scope="module")
def caller() -> Iterator[RestCaller]:
    with serving_rest() as caller:
        yield caller


def predict(caller: RestCaller) -> httpx.Response:
    return caller.post(PREDICT, json={"inputs": ["x"]}, timeout=WAIT_S)


def test_more_requests_than_workers_and_places_are_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{WORK}._WAITING", 0)
    with holding() as (caller, plane), ThreadPoolExecutor(1) as pool:
        first = pool.submit(predict, caller)
        wait_until(is_reached(plane), WAIT_S, "the first request")
        second = predict(caller)
        plane.go.set()
        assert first.result().status_code == 200
    assert (second.status_code, second.headers["retry-after"]) == (503, "1")
    assert "1 REST requests are in hand (--rest_workers)" in second.json()["error"]


def test_health_config_and_reload_answer_while_every_worker_is_busy() -> None:
    with holding() as (caller, plane), ThreadPoolExecutor(1) as pool:
        busy = pool.submit(predict, caller)
        wait_until(is_reached(plane), WAIT_S, "the request")
        paths = ("/healthz", "/v2/health/ready", "/v1/config", "/v1/models/echo", "/metrics")
        codes = {path: caller.get(path).status_code for path in paths}
        reloaded = caller.post("/v1/config/reload").status_code
        assert not busy.done()
        plane.go.set()
    assert codes == dict.fromkeys(paths, 200)
    assert reloaded == 200


def test_a_client_that_goes_away_abandons_its_request() -> None:
    with holding() as (caller, plane):
        connection = http.client.HTTPConnection("127.0.0.1", caller.port, timeout=WAIT_S)
        connection.request("POST", PREDICT, b'{"inputs": ["x"]}')
        wait_until(is_reached(plane), WAIT_S, "the request")
        connection.close()
        assert plane.abandoned.wait(WAIT_S)


def test_bodies_in_hand_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with holding() as (caller, plane), ThreadPoolExecutor(1) as pool:
        first = pool.submit(predict, caller)
        wait_until(is_reached(plane), WAIT_S, "the first request")
        huge = b" " * (40 << 20)
        monkeypatch.setattr(f"{BODIES}.MAX_BODY_BYTES", 1 << 31)
        monkeypatch.setattr(f"{BODIES}._JSON_WEIGHT", 1000)
        second = caller.post(PREDICT, content=huge)
        plane.go.set()
        assert first.result().status_code == 200
    assert (second.status_code, second.headers["retry-after"]) == (503, "1")
    assert "(JSON counts 1000 times), 1024 MiB may be" in second.json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 413), ({"Inference-Header-Content-Length": str(len(TWENTY_BYTES))}, 200)],
    ids=["json", "binary"],
)
def test_json_may_be_smaller_than_binary(
    caller: RestCaller, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    monkeypatch.setattr(f"{BODIES}.MAX_JSON_BYTES", len(TWENTY_BYTES))
    content = TWENTY_BYTES + b"x" * 20
    response = caller.post("/v2/models/echo/infer", content=content, headers=headers)
    assert response.status_code == status
    assert ("binary extension" in response.text) is (status == 413)


def test_a_body_that_does_not_arrive_is_not_waited_for(
    caller: RestCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{BODIES}._CHUNK_LIMIT_S", 0.05)
    with socket.create_connection(("127.0.0.1", caller.port), timeout=WAIT_S) as client:
        client.sendall(b"POST /v1/models/echo:predict HTTP/1.1\r\nhost: x\r\n")
        client.sendall(b"content-length: 10\r\n\r\n{")
        assert client.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_what_is_no_http_is_refused_in_json(caller: RestCaller) -> None:
    with socket.create_connection(("127.0.0.1", caller.port), timeout=WAIT_S) as client:
        client.sendall(b"\x16\x03\x01 a client that speaks TLS\r\n\r\n")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'\r\n\r\n{"error": "Invalid HTTP request received."}')


def test_a_body_whose_end_is_told_in_two_ways_is_refused_and_the_connection_closed(
    caller: RestCaller,
) -> None:
    with socket.create_connection(("127.0.0.1", caller.port), timeout=WAIT_S) as client:
        client.sendall(b"POST /v1/models/echo:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n")
        client.sendall(b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n")
        client.sendall(b"GET /v1/config HTTP/1.1\r\nhost: x\r\n\r\n")
        answers = client.makefile("rb").read()
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("address", ["http://a-proxy.example:8000", "HTTP://x", "https://x"])
def test_whole_addresses_as_clients_of_proxies_send_them_are_answered(
    caller: RestCaller, address: str
) -> None:
    with socket.create_connection(("127.0.0.1", caller.port), timeout=WAIT_S) as client:
        request = (
            f"GET {address}/v1/models/echo?a=b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        client.sendall(request.encode())
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"AVAILABLE" in answer


def test_an_offer_of_http_2_as_of_java_is_passed_over(
    caller: RestCaller, caplog: pytest.LogCaptureFixture
) -> None:
    offer = {
        "connection": "Upgrade, HTTP2-Settings",
        "upgrade": "h2c",
        "http2-settings": "AAEAAEAA",
    }
    assert caller.post(PREDICT, json={"inputs": ["x"]}, headers=offer).status_code == 200
    assert not caplog.records


def test_headers_that_do_not_arrive_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet_contracts.http_connections.HEADERS_LIMIT_S", 0.1)
    with (
        serving_rest() as caller,
        socket.create_connection(("127.0.0.1", caller.port), timeout=WAIT_S) as client,
    ):
        client.sendall(b"POST /v1/models/echo:predict HTTP/1.1\r\nhost:")
        assert client.recv(4096) == b""


def test_a_connection_that_was_closed_is_let_go(caller: RestCaller) -> None:
    for _ in range(3):
        httpx.get(f"http://127.0.0.1:{caller.port}/healthz", trust_env=False, timeout=60)
    wait_until(lambda: not closed_connections(), 15, "no closed connection to be held")


def closed_connections() -> list[GuardedProtocol]:
    gc.collect()
    made = [found for found in gc.get_objects() if type(found) is GuardedProtocol]
    return [protocol for protocol in made if protocol.transport.is_closing()]


def test_too_many_connections_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet_contracts.http_connections.MOST_CONNECTIONS", 1)
    with serving_rest() as caller:
        assert caller.get("/healthz").status_code == 200  # its connection stays open
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{caller.port}/healthz", trust_env=False, timeout=60)


def test_json_may_have_so_many_lists(caller: RestCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet_server.transports.rest.json_tensors._MAX_CONTAINERS", 3)
    few = caller.post(PREDICT, json={"inputs": [["x"]]})
    many = caller.post(PREDICT, json={"inputs": [["x"], ["y"]]})
    assert (few.status_code, many.status_code) == (200, 400)
    assert "more than 3 lists" in many.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"inputs": ' + "[" * 900 + "]" * 900 + "}",
        '{"inputs": [["x"], ' + "[" * 900 + "]" * 900 + "]}",
        '{"inputs": {"text": ' + '{"a": ' * 900 + "1" + "}" * 900 + "}}",
        '{"inputs": ' + "9" * 5000 + "}",
        '{"inputs": [1e999999999999]}',
        '{"inputs": "\\ud800"}',
        "\x00",
        '{"inputs": [["x"], "y"]}',
    ],
    ids=range(9),
)
def test_strange_json_is_refused_and_nothing_else_happens(caller: RestCaller, body: str) -> None:
    response = caller.post(PREDICT, content=body)
    assert (response.status_code, list(response.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/v2/health/live", 200),
        ("HEAD", "/v1/config", 200),
        ("OPTIONS", "/v1/config", 405),
        ("DELETE", "/v1/models/echo", 405),
        ("GET", "/v2/models/echo/infer", 405),
        ("GET", "/v1/nothing", 400),
        ("GET", "/v1/models/echo/versions/" + "9" * 5000, 400),
        ("GET", "/v2/models/echo/versions/" + "9" * 5000, 400),
        ("GET", "/nothing", 404),
    ],
)
def test_methods_and_urls(caller: RestCaller, method: str, path: str, status: int) -> None:
    assert caller.http.request(method, path).status_code == status


def test_head_and_body_of_an_answer_do_not_wait_for_each_other(caller: RestCaller) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", caller.port, timeout=WAIT_S)
    # 40 ms each where TCP collects small packets; elsewhere some are quick on the busiest machine.
    is_quick = any(seconds_of_an_answer(connection) < 0.03 for _ in range(200))
    connection.close()
    assert is_quick


def seconds_of_an_answer(connection: http.client.HTTPConnection) -> float:
    began_at = time.perf_counter()
    connection.request("POST", PREDICT, b'{"inputs": ["x"]}')
    assert connection.getresponse().read() == b'{"outputs":["x"]}'
    return time.perf_counter() - began_at
