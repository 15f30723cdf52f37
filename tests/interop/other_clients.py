"""Other people's clients behind one form: name and version of a model, tensors in, tensors out."""

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc
import numpy as np
import ovmsclient
import tritonclient.grpc
import tritonclient.http
from numpy.typing import NDArray

import tensorflow_stubs

Arrays = Mapping[str, NDArray[Any]]
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Address:
    """Where a model server listens."""

    grpc: str
    rest: str


class Answer(NamedTuple):
    """Outputs by name; the version where the client tells it."""

    outputs: dict[str, NDArray[Any]]
    version: int | None


def predict_with_ovmsclient_grpc(address: Address, model: str, inputs: Arrays) -> Answer:
    client = ovmsclient.make_grpc_client(address.grpc)
    return Answer(_named(client.predict(_with_lists(inputs), model, timeout=TIMEOUT_S)), None)


def predict_with_ovmsclient_http(address: Address, model: str, inputs: Arrays) -> Answer:
    client = ovmsclient.make_http_client(address.rest)
    return Answer(_named(client.predict(_with_lists(inputs), model, timeout=TIMEOUT_S)), None)


def infer_with_triton_grpc(address: Address, model: str, inputs: Arrays) -> Answer:
    module = tritonclient.grpc
    with module.InferenceServerClient(address.grpc) as client:
        result = client.infer(model, _triton_inputs(module, inputs), client_timeout=TIMEOUT_S)
    response = result.get_response()
    names = [output.name for output in response.outputs]
    return Answer({name: result.as_numpy(name) for name in names}, int(response.model_version))


def infer_with_triton_stream(address: Address, model: str, inputs: Arrays) -> Answer:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    module = tritonclient.grpc
    with module.InferenceServerClient(address.grpc) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer(model, _triton_inputs(module, inputs))
        result, error = answers.get(timeout=TIMEOUT_S)
    if error:
        raise error
    response = result.get_response()
    names = [output.name for output in response.outputs]
    return Answer({name: result.as_numpy(name) for name in names}, int(response.model_version))


def infer_with_triton_http(address: Address, model: str, inputs: Arrays) -> Answer:
    module = tritonclient.http
    client = module.InferenceServerClient(address.rest, network_timeout=TIMEOUT_S)
    try:
        result = client.infer(model, _triton_inputs(module, inputs))
    finally:
        client.close()
    response = result.get_response()
    names = [output["name"] for output in response["outputs"]]
    return Answer({name: result.as_numpy(name) for name in names}, int(response["model_version"]))


def predict_with_serving_api(address: Address, model: str, inputs: Arrays) -> Answer:
    tensorflow_stubs.install()
    from tensorflow_serving.apis import (  # noqa: PLC0415 - needs the stubs made above
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for name, values in _with_lists(inputs).items():
        proto = ovmsclient.make_tensor_proto(values)
        request.inputs[name].ParseFromString(proto.SerializeToString())
    with grpc.insecure_channel(
        address.grpc, options=[("grpc.max_receive_message_length", -1)]
    ) as c:
        response = prediction_service_pb2_grpc.PredictionServiceStub(c).Predict(
            request, timeout=TIMEOUT_S
        )
    outputs = {name: _array_of(proto) for name, proto in response.outputs.items()}
    return Answer(outputs, response.model_spec.version.value)


CLIENTS: dict[str, Callable[[Address, str, Arrays], Answer]] = {
    "ovmsclient-grpc": predict_with_ovmsclient_grpc,
    "ovmsclient-http": predict_with_ovmsclient_http,
    "triton-grpc": infer_with_triton_grpc,
    "triton-stream": infer_with_triton_stream,
    "triton-http": infer_with_triton_http,
    "serving-api": predict_with_serving_api,
}


def only_output(answer: Answer) -> NDArray[Any]:
    (array,) = answer.outputs.values()
    return array


def _with_lists(inputs: Arrays) -> dict[str, Any]:
    """ovmsclient takes bytes in lists, not in arrays."""
    return {n: a.tolist() if a.dtype == object else a for n, a in inputs.items()}


def _named(outputs: Any) -> dict[str, NDArray[Any]]:
    return dict(outputs) if isinstance(outputs, dict) else {"": outputs}


def _triton_inputs(module: Any, inputs: Arrays) -> list[Any]:
    made = []
    for name, array in inputs.items():
        datatype = tritonclient.grpc.np_to_triton_dtype(array.dtype)
        item = module.InferInput(name, list(array.shape), datatype)
        item.set_data_from_numpy(np.asarray(array, order="C"))
        made.append(item)
    return made


def _array_of(proto: Any) -> NDArray[Any]:
    from ovmsclient.tfs_compat.grpc.tensors import make_ndarray  # noqa: PLC0415 - not exported
    from ovmsclient.tfs_compat.protos.tensorflow.core.framework import tensor_pb2  # noqa: PLC0415

    array: NDArray[Any] = make_ndarray(tensor_pb2.TensorProto.FromString(proto.SerializeToString()))
    return array
