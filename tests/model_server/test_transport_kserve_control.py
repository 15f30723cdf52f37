"""Triton's extensions beside inference, seen from both wires: repository, statistics, settings."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.errors import ControlRefused, LoadFailed
from transport_callers import GrpcCaller, RestCaller, refused, serving_grpc, serving_rest

LOAD, UNLOAD = "/v2/repository/models/pair/load", "/v2/repository/models/pair/unload"


@pytest.fixture(scope="module")
def grpc_server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


@pytest.fixture(scope="module")
def rest_server() -> Iterator[RestCaller]:
    with serving_rest() as caller:
        yield caller


@pytest.fixture
def rpc(grpc_server: GrpcCaller) -> Iterator[GrpcCaller]:
    yield grpc_server
    grpc_server.plane.reload_result = False
    grpc_server.plane.loads.clear()


@pytest.fixture
def rest(rest_server: RestCaller) -> Iterator[RestCaller]:
    yield rest_server
    rest_server.plane.reload_result = False
    rest_server.plane.loads.clear()


def load_request(**parameters: str | bytes) -> pb.RepositoryModelLoadRequest:
    request = pb.RepositoryModelLoadRequest(model_name="pair")
    for name, value in parameters.items():
        field = "bytes_param" if isinstance(value, bytes) else "string_param"
        setattr(request.parameters[name], field, value)
    return request


def test_load_passes_config_and_files_on(rpc: GrpcCaller, rest: RestCaller) -> None:
    config = json.dumps({"version_policy": {"all": {}}})
    parameters = {"config": config, "file:3/model.onnx": base64.b64encode(b"onnx").decode()}
    rpc.kserve("RepositoryModelLoad", load_request(config=config, **{"file:3/model.onnx": b"onnx"}))
    response = rest.post(LOAD, json={"parameters": parameters})
    expected: tuple[Any, ...] = (
        "pair",
        {"version_policy": {"all": {}}},
        {"file:3/model.onnx": b"onnx"},
    )
    assert response.status_code == 200
    assert [*rpc.plane.loads, *rest.plane.loads] == [expected, expected]


def test_a_load_needs_no_body(rest: RestCaller) -> None:
    assert rest.post(LOAD).status_code == 200
    assert rest.plane.loads == [("pair", {}, {})]


def test_what_is_equal_to_the_present_config_is_no_override(rest: RestCaller) -> None:
    config = rest.get("/v2/models/pair/config").json()
    config["instance_group"] = [{"count": 2}]
    rest.post(LOAD, json={"parameters": {"config": json.dumps(config)}})
    assert rest.plane.loads == [("pair", {"instance_group": [{"count": 2}]}, {})]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (LOAD, {"parameters": {"config": "{"}}, "failed to load 'pair', parameter 'config'"),
        (LOAD, {"parameters": {"config": "[]"}}, "Expected: an object"),
        (LOAD, {"parameters": {"config": 3}}, "parameter 'config'"),
        (LOAD, {"parameters": {"file:1/m": "no base64!"}}, "'file:1/m' - Expected: base64"),
        (LOAD, {"parameters": {"file:1/m": 3}}, "'file:1/m' - Expected: base64"),
        (LOAD, {"parameters": []}, "parameters: Expected: an object"),
        (UNLOAD, {"parameters": {"force": True}}, "'force' - Expected: one of unload_dependents"),
    ],
)
def test_malformed_control_is_refused(
    rest: RestCaller, path: str, body: dict[str, Any], text: str
) -> None:
    response = rest.post(path, json=body)
    assert response.status_code == 400
    assert text in response.json()["error"]


@pytest.mark.parametrize(
    ("request_message", "text"),
    [
        (load_request(config="{"), "failed to load 'pair', parameter 'config'"),
        (load_request(other="text"), "'other' - Expected: the bytes of a file"),
        (pb.RepositoryModelLoadRequest(repository_name="r"), "there is one repository"),
    ],
)
def test_malformed_loads_are_invalid_arguments(
    rpc: GrpcCaller, request_message: pb.RepositoryModelLoadRequest, text: str
) -> None:
    with refused() as errors:
        rpc.kserve("RepositoryModelLoad", request_message)
    assert errors[0].code() is grpc.StatusCode.INVALID_ARGUMENT
    assert text in errors[0].details()


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (ControlRefused(is_polling=True), grpc.StatusCode.FAILED_PRECONDITION, 412),
        (LoadFailed("pair", "no version found"), grpc.StatusCode.INTERNAL, 500),
    ],
    ids=["polling", "failed"],
)
def test_failures_of_control_have_their_codes(
    rpc: GrpcCaller,
    rest: RestCaller,
    failure: LoadFailed | ControlRefused,
    code: grpc.StatusCode,
    status: int,
) -> None:
    rpc.plane.reload_result = rest.plane.reload_result = failure
    with refused() as errors:
        rpc.kserve("RepositoryModelLoad", load_request())
    response = rest.post(LOAD)
    assert (errors[0].code(), errors[0].details()) == (code, str(failure))
    assert (response.status_code, response.json()["error"]) == (status, str(failure))


def test_unload_takes_dependents_along(rpc: GrpcCaller, rest: RestCaller) -> None:
    request = pb.RepositoryModelUnloadRequest(model_name="pair")
    request.parameters["unload_dependents"].bool_param = True
    rpc.kserve("RepositoryModelUnload", request)
    rest.post(UNLOAD, json={"parameters": {"unload_dependents": True}})
    assert rpc.plane.unloads == rest.plane.unloads == ["pair"]


def test_the_index_names_what_could_be_loaded(rpc: GrpcCaller, rest: RestCaller) -> None:
    rpc.plane.loadable = rest.plane.loadable = ("spare",)
    told = rpc.kserve("RepositoryIndex", pb.RepositoryIndexRequest()).models[-1]
    listed = rest.post("/v2/repository/index").json()[-1]
    assert (told.name, told.version, told.state) == ("spare", "", "UNAVAILABLE")
    assert listed == {"name": "spare", "version": "", "state": "UNAVAILABLE", "reason": told.reason}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v2/models/stats", ["increment", "pair", "echo"]),
        ("/v2/models/pair/stats", ["pair"]),
        ("/v2/models/increment/versions/1/stats", ["increment"]),
    ],
)
def test_statistics_of_one_or_all(rest: RestCaller, path: str, names: list[str]) -> None:
    stats = rest.get(path).json()["model_stats"]
    assert [entry["name"] for entry in stats] == names
    assert stats[0]["inference_stats"]["success"] == {"count": 0, "ns": 0}


def test_statistics_over_grpc(rpc: GrpcCaller) -> None:
    request = pb.ModelStatisticsRequest(name="increment", version="1")
    response = rpc.kserve("ModelStatistics", request)
    assert [(stat.name, stat.version) for stat in response.model_stats] == [("increment", "1")]


def test_statistics_of_the_unknown_are_not_found(rest: RestCaller) -> None:
    assert rest.get("/v2/models/nope/stats").status_code == 404


def test_tracing_is_off_and_stays_off(rpc: GrpcCaller, rest: RestCaller) -> None:
    request = pb.TraceSettingRequest(model_name="pair")
    request.settings["trace_level"].value.append("TIMESTAMPS")
    with refused() as errors:
        rpc.kserve("TraceSetting", request)
    response = rest.post("/v2/trace/setting", json={"trace_level": ["TIMESTAMPS"]})
    assert errors[0].code() is grpc.StatusCode.UNIMPLEMENTED
    assert (response.status_code, "trace_level stays OFF" in response.text) == (501, True)


@pytest.mark.parametrize("changes", [{}, {"trace_level": ["OFF"]}, {"trace_rate": None}])
def test_trace_settings_that_change_nothing_are_told(
    rest: RestCaller, changes: dict[str, Any]
) -> None:
    told = rest.post("/v2/models/pair/trace/setting", json=changes).json()
    assert told == rest.get("/v2/trace/setting").json()
    assert told["trace_level"] == ["OFF"]


def test_trace_settings_of_the_unknown_are_not_found(rest: RestCaller) -> None:
    assert rest.get("/v2/models/nope/trace/setting").status_code == 404


def test_log_settings_are_told_alike(rpc: GrpcCaller, rest: RestCaller) -> None:
    told = rpc.kserve("LogSettings", pb.LogSettingsRequest()).settings
    plain = {name: getattr(v, v.WhichOneof("parameter_choice")) for name, v in told.items()}
    assert plain == rest.get("/v2/logging").json()


def test_a_wrong_log_setting_is_refused(rest: RestCaller) -> None:
    response = rest.post("/v2/logging", json={"log_info": "yes"})
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/systemsharedmemory/status"),
        ("POST", "/v2/systemsharedmemory/unregister"),
        ("POST", "/v2/systemsharedmemory/region/r/register"),
    ],
)
def test_shared_memory_is_refused_where_it_is_not_allowed(
    rest: RestCaller, method: str, path: str
) -> None:
    body = {"key": "k", "byte_size": 8}
    response = rest.http.request(method, path, json=body)
    assert response.status_code == 412
    assert "--allow-client-shm" in response.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/cudasharedmemory/status", 200),
        ("GET", "/v2/cudasharedmemory/region/r/status", 404),
        ("POST", "/v2/cudasharedmemory/unregister", 200),
        ("POST", "/v2/cudasharedmemory/region/r/register", 501),
    ],
)
def test_there_is_no_cuda_shared_memory(
    rest: RestCaller, method: str, path: str, status: int
) -> None:
    assert rest.http.request(method, path).status_code == status


def test_extensions_name_shared_memory_only_where_it_is_allowed(rest: RestCaller) -> None:
    offered = rest.get("/v2").json()["extensions"]
    assert {"statistics", "classification", "logging", "model_repository"} <= set(offered)
    assert "system_shared_memory" not in offered
