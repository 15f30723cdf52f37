"""A script of TensorFlow Serving, its imports changed to camfleet.compat."""

import grpc
import numpy as np
import pytest

import tensorflow_stubs
from camfleet.compat import PredictionServiceStub, PredictRequest, make_ndarray, make_tensor_proto
from other_clients import TIMEOUT_S, Address

pytestmark = pytest.mark.interop

FOUR = np.array([[1, 2, 3, 4]], np.float32)


def test_a_script_predicts_without_tensorflow(
    adder: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet.compat.tensor_protos._class_of_others", lambda: None)
    request = PredictRequest()
    request.model_spec.name = "adder"
    request.inputs["x"].CopyFrom(make_tensor_proto(FOUR, shape=FOUR.shape))
    with grpc.insecure_channel(adder.grpc) as channel:
        answer = PredictionServiceStub(channel).Predict(request, TIMEOUT_S)

    (name,) = answer.outputs
    assert make_ndarray(answer.outputs[name]).tolist() == (FOUR + 2).tolist()


def test_messages_of_tensorflow_serving_api_take_the_tensor(adder: Address) -> None:
    tensorflow_stubs.install()
    from tensorflow_serving.apis import (  # noqa: PLC0415 - needs the stubs made above
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "adder"
    request.inputs["x"].CopyFrom(make_tensor_proto(FOUR))
    with grpc.insecure_channel(adder.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(request, TIMEOUT_S)

    (name,) = answer.outputs
    assert make_ndarray(answer.outputs[name]).tolist() == (FOUR + 2).tolist()
