"""tensorflow-serving-api's stubs: reload, labels, status and metadata, and what is not offered."""

from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import ovmsclient
import pytest

import tensorflow_stubs
from other_clients import TIMEOUT_S, Address

tensorflow_stubs.install()

from tensorflow_serving.apis import (  # noqa: E402 - need the stubs made above
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

pytestmark = pytest.mark.interop

FOUR = np.array([[1, 2, 3, 4]], np.float32)
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


@pytest.fixture(scope="module")
def channel(adder: Address) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(adder.grpc) as channel:
        yield channel


@pytest.fixture(scope="module")
def prediction(channel: grpc.Channel) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def models(channel: grpc.Channel) -> Any:
    return model_service_pb2_grpc.ModelServiceStub(channel)


@pytest.fixture(scope="module")
def labelled(models: Any) -> None:
    """The adder's two versions with labels, by a reload request."""
    answer = models.HandleReloadConfigRequest(reload_request("adder"), TIMEOUT_S)
    assert (answer.status.error_code, answer.status.error_message) == (0, "")


def reload_request(base_path: str) -> Any:
    request = model_management_pb2.ReloadConfigRequest()
    model = request.config.model_config_list.config.add(
        name="adder", base_path=base_path, model_platform="tensorflow"
    )
    model.model_version_policy.all.SetInParent()
    model.version_labels.update({"stable": 1, "canary": 2})
    return request


def predict_request(**spec: Any) -> Any:
    request = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(name="adder", **spec))
    proto = ovmsclient.make_tensor_proto(FOUR)
    request.inputs["x"].ParseFromString(proto.SerializeToString())
    return request


@pytest.mark.parametrize(
    ("spec", "addend"),
    [
        ({"version_label": "stable"}, 1),
        ({"version_label": "canary"}, 2),
        ({"version": {"value": 1}}, 1),
        ({"version": {"value": 0}}, 2),
        ({"signature_name": "serving_default"}, 2),
    ],
    ids=["stable", "canary", "version 1", "version 0", "signature"],
)
@pytest.mark.usefixtures("labelled")
def test_predict_by_label_and_version(prediction: Any, spec: dict[str, Any], addend: int) -> None:
    response = prediction.Predict(predict_request(**spec), TIMEOUT_S)
    assert response.outputs["y"].tensor_content == (FOUR + addend).tobytes()
    assert response.model_spec.version.value == addend


@pytest.mark.usefixtures("labelled")
def test_an_unknown_label_is_an_invalid_argument(prediction: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        prediction.Predict(predict_request(version_label="beta"), TIMEOUT_S)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Unrecognized servable version label: beta" in refused.value.details()


@pytest.mark.usefixtures("labelled")
def test_labels_on_rest(adder: Address) -> None:
    url = f"http://{adder.rest}/v1/models/adder/labels/stable"
    answer = httpx.post(
        f"{url}:predict", json={"instances": FOUR.tolist()}, trust_env=False, timeout=60
    )
    status = httpx.get(url, trust_env=False, timeout=60).json()["model_version_status"]
    assert answer.json() == {"predictions": (FOUR + 1).tolist()}
    assert [entry["version"] for entry in status] == ["1"]


def test_a_config_that_cannot_be_meant_is_refused(models: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        models.HandleReloadConfigRequest(reload_request("/nowhere"), TIMEOUT_S)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "adder: base_path /nowhere does not exist" in refused.value.details()


def test_an_empty_reload_request_reads_config_json(models: Any) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    assert models.HandleReloadConfigRequest(request, TIMEOUT_S).status.error_code == 0


@pytest.mark.parametrize(("version", "versions"), [(None, [2, 1]), (1, [1]), (0, [2, 1])])
def test_status_of_all_versions_and_of_one(
    models: Any, version: int | None, versions: list[int]
) -> None:
    spec = model_pb2.ModelSpec(name="adder")
    if version is not None:
        spec.version.value = version
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
    statuses = models.GetModelStatus(request, TIMEOUT_S).model_version_status
    assert [status.version for status in statuses] == versions
    assert {status.state for status in statuses} == {AVAILABLE}
    assert {status.status.error_message for status in statuses} == {"OK"}


def test_metadata_unpacks_into_a_signature_map(prediction: Any) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "adder"
    response = prediction.GetModelMetadata(request, TIMEOUT_S)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    tensor = signatures.signature_def["serving_default"].inputs["x"]
    assert [dim.size for dim in tensor.tensor_shape.dim] == [1, 4]


@pytest.mark.parametrize(
    ("method", "request_message"),
    [
        ("Classify", classification_pb2.ClassificationRequest()),
        ("Regress", regression_pb2.RegressionRequest()),
        ("MultiInference", inference_pb2.MultiInferenceRequest()),
    ],
    ids=["classify", "regress", "multi"],
)
def test_what_needs_examples_is_unimplemented(
    prediction: Any, method: str, request_message: Any
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(prediction, method)(request_message, TIMEOUT_S)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert f"{method} is not offered" in refused.value.details()
