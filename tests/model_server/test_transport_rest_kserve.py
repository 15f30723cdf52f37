"""KServe v2 over REST, seen from the wire."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from camfleet_server.errors import DeadlineExceeded, InferenceFailed, ModelNotReady, QueueFull
from transport_callers import RestCaller, serving_rest

INFER = "/v2/models/pair/infer"


@pytest.fixture(scope="module")
def server() -> Iterator[RestCaller]:
    with serving_rest() as caller:
        yield caller


@pytest.fixture
def caller(server: RestCaller) -> Iterator[RestCaller]:
    yield server
    server.plane.failure = None
    server.plane.is_ready = True


def tensor(name: str, values: Any) -> dict[str, Any]:
    return {"name": name, "datatype": "INT32", "shape": [1, 2], "data": values}


def pair(left: Any = (3, 4), right: Any = (1, 1), **fields: Any) -> dict[str, Any]:
    inputs = [tensor("left", left), tensor("right", right)]
    return {"inputs": inputs, **fields}


def error_of(response: httpx.Response) -> str:
    text: str = response.json()["error"]
    return text


def test_infer_answers_flat_data_with_id_and_version(caller: RestCaller) -> None:
    response = caller.post(INFER, json=pair(id="req-7"))
    assert response.json() == {
        "model_name": "pair",
        "model_version": "1",
        "outputs": [
            {"name": "total", "datatype": "INT32", "shape": [1, 2], "data": [4, 5]},
            {"name": "difference", "datatype": "INT32", "shape": [1, 2], "data": [2, 3]},
        ],
        "id": "req-7",
    }


@pytest.mark.parametrize("left", [[3, 4], [[3, 4]]], ids=["flat", "nested"])
def test_data_may_be_flat_or_nested(caller: RestCaller, left: Any) -> None:
    response = caller.post(INFER, json=pair(left))
    assert response.json()["outputs"][0]["data"] == [4, 5]


def test_a_version_in_the_url_is_asked_for(caller: RestCaller) -> None:
    image = {"name": "image", "datatype": "FP32", "shape": [1, 3, 1, 4], "data": [0.5] * 12}
    response = caller.post("/v2/models/increment/versions/1/infer", json={"inputs": [image]})
    assert response.json()["model_version"] == "1"
    assert response.json()["outputs"][0]["data"] == [1.5] * 12


def test_requested_outputs_and_parameters(caller: RestCaller) -> None:
    parameters = {"stream_id": "door", "priority": 1, "timeout": 1_000_000}
    body = pair(outputs=[{"name": "total"}], parameters=parameters)
    response = caller.post(INFER, json=body)
    received = caller.plane.requests[-1]
    assert [output["name"] for output in response.json()["outputs"]] == ["total"]
    assert (received.stream_id, received.priority) == ("door", 1)
    assert received.deadline is not None


def test_texts_and_base64_are_bytes(caller: RestCaller) -> None:
    data = ["text", {"b64": "/9g="}]
    echo = {"name": "text", "datatype": "BYTES", "shape": [2], "data": data}
    response = caller.post("/v2/models/echo/infer", json={"inputs": [echo]})
    assert caller.plane.requests[-1].inputs["text"].tolist() == [b"text", b"\xff\xd8"]
    assert response.json()["outputs"][0]["data"] == data


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("BOOL", [True, False]),
        ("UINT64", [2**64 - 1, 0]),
        *((name, [1, 2]) for name in ("UINT8", "UINT16", "UINT32", "UINT64")),
        *((name, [-1, 2]) for name in ("INT8", "INT16", "INT32", "INT64")),
        *((name, [-0.5, 2.0]) for name in ("FP32", "FP64")),
        ("BYTES", ["text", ""]),
    ],
)
def test_every_datatype_goes_both_ways_in_json(
    caller: RestCaller, datatype: str, data: list[Any]
) -> None:
    echo = {"name": "text", "datatype": datatype, "shape": [2], "data": data}
    output = caller.post("/v2/models/echo/infer", json={"inputs": [echo]}).json()["outputs"][0]
    assert (output["datatype"], output["data"]) == (datatype, data)


def test_half_precision_does_not_go_into_json(caller: RestCaller) -> None:
    half = {"name": "text", "datatype": "FP16", "shape": [1], "data": [0.5]}
    response = caller.post("/v2/models/echo/infer", json={"inputs": [half]})
    assert response.status_code == 400
    assert "sending FP16 data via JSON is not supported" in error_of(response)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"sequence_id": 1}, "sequences are not offered"),
        ({"sequence_start": True}, "sequences are not offered"),
    ],
)
def test_sequences_are_refused(caller: RestCaller, parameters: dict[str, Any], text: str) -> None:
    response = caller.post(INFER, json=pair(parameters=parameters))
    assert response.status_code == 400
    assert text in error_of(response)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"classification": 0}, "'classification' - Expected: a number above 0"),
        ({"classification": "many"}, "'classification' - Expected: a whole number"),
        ({"shared_memory_region": "r"}, "needs 'shared_memory_byte_size' beside it"),
        ({"shared_memory_region": ""}, "'shared_memory_region' - Expected: a name"),
    ],
)
def test_wrong_parameters_of_outputs_are_refused(
    caller: RestCaller, parameters: dict[str, Any], text: str
) -> None:
    wanted = [{"name": "total", "parameters": parameters}]
    response = caller.post(INFER, json=pair(outputs=wanted))
    assert response.status_code == 400
    assert text in error_of(response)


def test_classes_of_texts_are_refused(caller: RestCaller) -> None:
    echo = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}
    wanted = [{"name": "text", "parameters": {"classification": 1}}]
    response = caller.post("/v2/models/echo/infer", json={"inputs": [echo], "outputs": wanted})
    assert "Expected: an output of numbers; Actual: BYTES [1]" in error_of(response)


def test_an_input_is_in_shared_memory_or_in_data(caller: RestCaller) -> None:
    both = tensor("left", [1, 2]) | {"parameters": {"shared_memory_region": "r"}}
    response = caller.post(INFER, json={"inputs": [both]})
    assert "both in a shared memory region and in data" in error_of(response)


def binary_body(*, wants: dict[str, Any], size: int = 8) -> tuple[bytes, dict[str, str]]:
    raw = np.array([[3, 4]], np.int32).tobytes()
    described = {"datatype": "INT32", "shape": [1, 2], "parameters": {"binary_data_size": size}}
    inputs = [{"name": name, **described} for name in ("left", "right")]
    head = json.dumps({"inputs": inputs, **wants}).encode()
    return head + raw + raw, {"Inference-Header-Content-Length": str(len(head))}


@pytest.mark.parametrize(
    "wants",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "total", "parameters": {"binary_data": True}}]},
    ],
    ids=["all", "by name"],
)
def test_binary_extension_both_ways(caller: RestCaller, wants: dict[str, Any]) -> None:
    body, headers = binary_body(wants=wants)
    response = caller.post(INFER, content=body, headers=headers)
    length = int(response.headers["Inference-Header-Content-Length"])
    head = json.loads(response.content[:length])
    assert head["outputs"][0]["parameters"] == {"binary_data_size": 8}
    total = np.frombuffer(response.content[length : length + 8], np.int32)
    assert total.tolist() == [6, 8]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{", "Invalid JSON structure"),
        ("[]", "Invalid JSON structure - Expected: an object"),
        ('{"inputs": 3}', "inputs: Expected: a list"),
        ('{"inputs": [3]}', "inputs: Expected: an object"),
        ('{"inputs": [{"name": "left"}]}', "'datatype' is missing"),
        (json.dumps(pair([1, 2, 3])), "Expected: 2 values; Actual: 3 values; input name: left"),
        (json.dumps(pair(["one", "two"])), "Invalid input precision"),
        (json.dumps(pair([1.5, 2.5])), "Not valid ndarray detected"),
        (json.dumps(pair([1 << 40, 1])), "Not valid ndarray detected"),
        (json.dumps(pair([[1], [2, 3]])), "Not valid ndarray detected"),
        (json.dumps({"inputs": [tensor("left", [1, 2])] * 2}), "input name sent twice: left"),
        (json.dumps(pair(parameters={"priority": "x"})), "parameter 'priority'"),
        (json.dumps(pair(parameters=[])), "parameters: Expected: an object"),
        (json.dumps({"inputs": [tensor("left", [1, 2]) | {"shape": [1.5]}]}), "whole numbers"),
        (json.dumps({"inputs": [tensor("left", "[") | {"shape": [1, -2]}]}), "whole numbers"),
        ("[" * 100_000, "Invalid JSON structure"),
        (json.dumps(pair("[")).replace('"["', "[" * 40 + '"a"' + "]" * 40), "more than 32 lists"),
    ],
    ids=range(17),
)
def test_malformed_requests_are_refused(caller: RestCaller, body: str, text: str) -> None:
    response = caller.post(INFER, content=body)
    assert response.status_code == 400
    assert text in error_of(response)


@pytest.mark.parametrize(
    ("headers", "size", "text"),
    [
        ({"Inference-Header-Content-Length": "99999"}, 8, "exceeds actual payload length"),
        ({"Inference-Header-Content-Length": "x"}, 8, "Expected: a number"),
        ({}, 900, "Expected: 900 bytes; Actual: 16 bytes; input name: left"),
        ({}, 4, "Expected: 8 bytes; Actual: 4 bytes; input name: left"),
    ],
)
def test_malformed_binary_requests_are_refused(
    caller: RestCaller, headers: dict[str, str], size: int, text: str
) -> None:
    body, good = binary_body(wants={}, size=size)
    response = caller.post(INFER, content=body, headers=good | headers)
    assert response.status_code == 400
    assert text in error_of(response)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v2/models/nope", 404, "Model with requested name is not found"),
        ("/v2/models/increment/versions/9", 404, "Model with requested version is not found"),
        ("/v2/models/increment/versions/1796068899060000000", 404, "version is not found"),
        ("/v2/models/increment/versions/9223372036854775808", 400, "Could not parse"),
        ("/v2/models/increment/versions/x", 400, "Could not parse model version in request"),
        ("/v2/nothing", 400, "Invalid request URL"),
        (INFER, 405, "Unsupported method"),
    ],
)
def test_wrong_urls_are_refused(caller: RestCaller, path: str, status: int, text: str) -> None:
    response = caller.get(path)
    assert response.status_code == status
    assert text in error_of(response)


@pytest.mark.parametrize(
    ("failure", "status", "retry_after"),
    [
        (QueueFull("pair", 8, retry_after_s=2), 503, "2"),
        (ModelNotReady("pair"), 503, "1"),
        (DeadlineExceeded("pair"), 504, None),
        (InferenceFailed("pair", 1, "boom"), 500, None),
        (KeyError("ours"), 500, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_failures_have_their_status(
    caller: RestCaller, failure: Exception, status: int, retry_after: str | None
) -> None:
    caller.plane.failure = failure
    response = caller.post(INFER, json=pair())
    assert response.status_code == status
    assert response.headers.get("retry-after") == retry_after
    assert str(failure) in error_of(response)


def test_health_and_readiness(caller: RestCaller) -> None:
    caller.plane.is_ready = False
    live, ready = caller.get("/v2/health/live"), caller.get("/v2/health/ready")
    assert (live.status_code, ready.status_code) == (200, 503)
    assert live.content == ready.content == b""  # tritonclient's asyncio client would not read it


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/models/increment/ready", 200),
        ("/v2/models/increment/versions/1/ready", 200),
        ("/v2/models/increment/versions/9/ready", 503),
        ("/v2/models/nope/ready", 503),
    ],
)
def test_model_readiness(caller: RestCaller, path: str, status: int) -> None:
    assert caller.get(path).status_code == status


def test_server_and_model_are_described(caller: RestCaller) -> None:
    model = caller.get("/v2/models/increment").json()
    assert caller.get("/v2").json()["name"] == "camfleet"
    assert model["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [1, 3, -1, 4]}]
    assert (model["versions"], model["platform"]) == (["1", "2"], "OpenVINO")


def test_model_config_carries_the_manifest(caller: RestCaller) -> None:
    config = caller.get("/v2/models/increment/versions/1/config").json()
    manifest = config["parameters"]["camfleet.manifest"]["string_value"]
    assert manifest == '{"id": "increment", "version": 1}'
    assert config["input"][0]["data_type"] == "TYPE_FP32"


@pytest.mark.parametrize(
    ("body", "count"), [(b"", 5), (b'{"ready": true}', 4)], ids=["all", "ready"]
)
def test_repository_index(caller: RestCaller, body: bytes, count: int) -> None:
    assert len(caller.post("/v2/repository/index", content=body).json()) == count
