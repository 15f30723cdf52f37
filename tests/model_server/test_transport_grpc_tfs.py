"""TensorFlow Serving over gRPC, seen from the wire."""

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from camfleet_contracts.protocols import serving_pb2 as pb
from camfleet_contracts.protocols import tensorflow_pb2
from camfleet_contracts.tensors import decode_tensor_proto, encode_tensor_proto
from camfleet_server.errors import (
    InferenceFailed,
    ModelNotReady,
    NoConfigFile,
    QueueFull,
    ReloadFailed,
)
from camfleet_server.types import WantedModel
from transport_callers import PREDICTION, TIMEOUT_S, GrpcCaller, refused, serving_grpc

UNKNOWN_MODEL = "Model with requested name is not found"


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


@pytest.fixture
def caller(server: GrpcCaller) -> Iterator[GrpcCaller]:
    yield server
    server.plane.failure = None
    server.plane.reload_result = False
    server.plane.config_result = ()


def spec(name: str = "increment", version: int | None = None, label: str = "") -> pb.ModelSpec:
    model_spec = pb.ModelSpec(name=name)
    if version is not None:
        model_spec.version.value = version
    if label:
        model_spec.version_label = label
    return model_spec


def predict_request(model_spec: pb.ModelSpec | None = None) -> pb.PredictRequest:
    request = pb.PredictRequest(model_spec=model_spec or spec())
    image = np.zeros((1, 3, 2, 4), np.float32)
    request.inputs["image"].CopyFrom(encode_tensor_proto(image))
    return request


def test_predict_answers_with_content_and_the_version_that_answered(caller: GrpcCaller) -> None:
    response = caller.predict(predict_request())
    output = decode_tensor_proto(response.outputs["sum"], "sum")
    assert response.outputs["sum"].tensor_content == np.ones((1, 3, 2, 4), np.float32).tobytes()
    assert output.shape == (1, 3, 2, 4)
    assert (response.model_spec.name, response.model_spec.version.value) == ("increment", 2)


@pytest.mark.parametrize(("asked", "answered"), [(None, 2), (0, 2), (1, 1), (2, 2)])
def test_version_0_and_none_mean_the_highest(
    caller: GrpcCaller, asked: int | None, answered: int
) -> None:
    response = caller.predict(predict_request(spec(version=asked)))
    assert response.model_spec.version.value == answered


def test_a_label_stands_for_its_version(caller: GrpcCaller) -> None:
    stable = spec(label="stable")
    signature = pb.GetModelMetadataRequest(model_spec=stable, metadata_field=["signature_def"])
    answers = (caller.predict(predict_request(stable)), caller.metadata(signature))
    status = caller.status(pb.GetModelStatusRequest(model_spec=stable))
    assert [answer.model_spec.version.value for answer in answers] == [1, 1]
    assert [entry.version for entry in status.model_version_status] == [1]


def test_output_filter_chooses_the_outputs(caller: GrpcCaller) -> None:
    pair = np.ones((1, 2), np.int32)
    request = pb.PredictRequest(model_spec=spec("pair"), output_filter=["difference"])
    for name in ("left", "right"):
        request.inputs[name].CopyFrom(encode_tensor_proto(pair))
    assert list(caller.predict(request).outputs) == ["difference"]


def test_texts_are_answered_as_string_val(caller: GrpcCaller) -> None:
    request = pb.PredictRequest(model_spec=spec("echo"))
    request.inputs["text"].dtype = tensorflow_pb2.DT_STRING
    request.inputs["text"].tensor_shape.dim.add(size=1)
    request.inputs["text"].string_val.append(b"\xff\xd8jpeg")
    assert list(caller.predict(request).outputs["text"].string_val) == [b"\xff\xd8jpeg"]


def test_deadline_of_the_call_reaches_the_data_plane(caller: GrpcCaller) -> None:
    caller.predict(predict_request(), timeout_s=60)
    assert caller.plane.requests[-1].deadline is not None
    caller.predict(predict_request(), timeout_s=None)
    assert caller.plane.requests[-1].deadline is None


def test_fields_of_axis_cameras_are_tolerated(caller: GrpcCaller) -> None:
    stream_id = bytes([10 << 3, 5])
    raw = predict_request().SerializeToString() + stream_id
    unary = caller.channel.unary_unary(f"{PREDICTION}/Predict")
    answer = unary(raw, timeout=60)
    assert pb.PredictResponse.FromString(answer).model_spec.version.value == 2


@pytest.mark.parametrize(
    ("request_message", "code", "text"),
    [
        (pb.PredictRequest(), "INVALID_ARGUMENT", "model_spec missing in request"),
        (predict_request(spec("nope")), "NOT_FOUND", UNKNOWN_MODEL),
        (
            predict_request(spec(version=9)),
            "NOT_FOUND",
            "Model with requested version is not found",
        ),
        (
            predict_request(spec(label="canary")),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: canary",
        ),
    ],
    ids=["no model_spec", "unknown model", "unknown version", "label"],
)
def test_predict_refuses_what_it_cannot_find(
    caller: GrpcCaller, request_message: pb.PredictRequest, code: str, text: str
) -> None:
    with refused() as errors:
        caller.predict(request_message)
    assert errors[0].code().name == code
    assert text in errors[0].details()


def test_malformed_tensor_is_an_invalid_argument(caller: GrpcCaller) -> None:
    request = predict_request()
    request.inputs["image"].tensor_content = b"1234567890"
    with refused() as errors:
        caller.predict(request)
    assert errors[0].code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Expected: 96 bytes; Actual: 10 bytes; input name: image" in errors[0].details()


@pytest.mark.parametrize(
    ("failure", "code", "text"),
    [
        (QueueFull("increment", 8), "RESOURCE_EXHAUSTED", "Exceeds maximum queue size"),
        (
            ModelNotReady("increment", 1, "loading"),
            "UNAVAILABLE",
            "Model with requested version is not loaded yet",
        ),
        (InferenceFailed("increment", 1, "boom"), "INTERNAL", "Internal inference error"),
        (KeyError("a fault of ours"), "INTERNAL", "Internal server error - KeyError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_failures_end_the_call_with_their_code(
    caller: GrpcCaller, failure: Exception, code: str, text: str
) -> None:
    caller.plane.failure = failure
    with refused() as errors:
        caller.predict(predict_request())
    assert errors[0].code().name == code
    assert text in errors[0].details()


def test_metadata_is_a_signature_map_of_the_file_s_own_tensors(caller: GrpcCaller) -> None:
    request = pb.GetModelMetadataRequest(model_spec=spec(), metadata_field=["signature_def"])
    response = caller.metadata(request)
    signatures = pb.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert response.model_spec.version.value == 2
    assert [dim.size for dim in signature.inputs["image"].tensor_shape.dim] == [1, 3, -1, 4]
    assert signature.outputs["sum"].dtype == tensorflow_pb2.DT_FLOAT


def test_unknown_metadata_field_is_refused(caller: GrpcCaller) -> None:
    with refused() as errors:
        caller.metadata(pb.GetModelMetadataRequest(model_spec=spec(), metadata_field=["graph"]))
    assert errors[0].code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Expected: signature_def; Actual: graph" in errors[0].details()


def test_status_lists_every_version_with_the_reason_of_the_failed(caller: GrpcCaller) -> None:
    response = caller.status(pb.GetModelStatusRequest(model_spec=spec()))
    states = {status.version: status for status in response.model_version_status}
    assert [states[n].state for n in (1, 2, 3)] == [30, 30, 20]
    assert (states[2].status.error_code, states[2].status.error_message) == (0, "OK")
    assert (states[3].status.error_code, states[3].status.error_message) == (
        2,
        "version 3: model.xml is truncated",
    )


def test_status_of_one_version(caller: GrpcCaller) -> None:
    response = caller.status(pb.GetModelStatusRequest(model_spec=spec(version=2)))
    assert [status.version for status in response.model_version_status] == [2]
    with refused() as errors:
        caller.status(pb.GetModelStatusRequest(model_spec=spec(version=9)))
    assert errors[0].code() is grpc.StatusCode.NOT_FOUND


def reload_request(**model: Any) -> pb.ReloadConfigRequest:
    request = pb.ReloadConfigRequest()
    request.config.model_config_list.config.add(**model)
    return request


def test_a_config_in_the_reload_request_is_applied(caller: GrpcCaller) -> None:
    request = reload_request(name="m", base_path="/models/m", model_platform="tensorflow")
    (model,) = request.config.model_config_list.config
    model.model_version_policy.specific.versions.extend([3, 4])
    model.version_labels["stable"] = 3
    assert caller.reload(request).status.error_code == 0
    wanted = WantedModel("m", "/models/m", {"specific": {"versions": [3, 4]}}, {"stable": 3})
    assert caller.plane.configs[-1][0] == (wanted,)


def test_a_reload_ends_before_the_deadline_of_its_call(caller: GrpcCaller) -> None:
    caller.reload(reload_request(name="m", base_path="/models/m"))
    assert caller.plane.configs[-1][1] < TIMEOUT_S


def test_what_did_not_become_available_is_named(caller: GrpcCaller) -> None:
    caller.plane.config_result = ("m: version 3: model.xml is truncated",)
    status = caller.reload(reload_request(name="m", base_path="/models/m")).status
    assert status.error_code == grpc.StatusCode.UNKNOWN.value[0]
    assert "1 model(s) did not become available: m: version 3" in status.error_message


@pytest.mark.parametrize("request_message", [pb.ReloadConfigRequest()], ids=["empty"])
def test_without_a_config_config_json_is_read_again(
    caller: GrpcCaller, request_message: pb.ReloadConfigRequest
) -> None:
    applied = len(caller.plane.configs)
    assert caller.reload(request_message).status.error_code == 0
    assert len(caller.plane.configs) == applied


def test_a_server_of_one_model_has_no_config_to_change(caller: GrpcCaller) -> None:
    caller.plane.config_result = NoConfigFile("HandleReloadConfigRequest")
    with refused() as errors:
        caller.reload(reload_request(name="m", base_path="/models/m"))
    assert errors[0].code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "start it with --config_path" in errors[0].details()


def test_a_config_for_another_server_is_refused(caller: GrpcCaller) -> None:
    custom = pb.ReloadConfigRequest()
    custom.config.custom_model_config.type_url = "x/y"
    for request in (custom, reload_request(name="m", model_platform="caffe")):
        with refused() as errors:
            caller.reload(request)
        assert errors[0].code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "Invalid config in the request" in errors[0].details()


def test_refused_reload_tells_why(caller: GrpcCaller) -> None:
    caller.plane.reload_result = ReloadFailed("config.json:3: no comma")
    with refused() as errors:
        caller.reload(pb.ReloadConfigRequest())
    assert errors[0].code() is grpc.StatusCode.FAILED_PRECONDITION
    assert errors[0].details() == "Reloading config file failed. config.json:3: no comma"


@pytest.mark.parametrize("method", ["Classify", "Regress", "MultiInference"])
def test_methods_not_offered_are_unimplemented(caller: GrpcCaller, method: str) -> None:
    with refused() as errors:
        caller.channel.unary_unary(f"{PREDICTION}/{method}")(b"anything", timeout=60)
    assert errors[0].code() is grpc.StatusCode.UNIMPLEMENTED
    assert errors[0].details() == f"{method} is not offered; use Predict"
