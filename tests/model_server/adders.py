"""A server with adders and garbage, and what it can be asked in every protocol."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx
import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.protocols import inference_pb2, serving_pb2
from camfleet_contracts.tensors import encode_raw, encode_tensor_proto
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer
from camfleet_server.types import VersionState
from model_volume import Volume, running_core

TIMEOUT_S = 60
PREDICT = "/tensorflow.serving.PredictionService/Predict"
INFER = "/inference.GRPCInferenceService/ModelInfer"
GRPC_OF_HTTP = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 503: "UNAVAILABLE"}
KSERVE_TYPES = {"float32": "FP32", "float64": "FP64", "uint8": "UINT8"}
Tensor = NDArray[Any]


@dataclass(frozen=True)
class Ports:
    """One server with two versions of an adder, of which the first is retired, and garbage."""

    channel: grpc.Channel
    http: httpx.Client

    def call(self, method: str, request: bytes) -> "Answer":
        """Call a method with the bytes of a message."""
        try:
            self.channel.unary_unary(method)(request, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details())
        return Answer("OK", "")

    def post(self, path: str, **options: Any) -> "Answer":
        """Post to a path; the code is HTTP's."""
        response = self.http.post(path, **options)
        return Answer(response.status_code, response.text)


class Answer(NamedTuple):
    code: str | int
    text: str


@contextmanager
def serving_adders(folder: Path) -> Iterator[Ports]:
    volume = Volume(folder)
    volume.publish_adder("adder", 1, 1.0)
    volume.serve("adder")
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.publish_garbage("garbage", 1)
        volume.publish_adder("adder", 2, 2.0)
        volume.serve("garbage")
        core.wait_for("adder", 1, VersionState.END)
        core.wait_for_fault("garbage")
        server = GrpcServer(core.plane, ServerMetrics())
        rest = RestServer(build_app(core.plane, ServerMetrics()))
        grpc_port, rest_port = server.bind("127.0.0.1", 0), rest.bind("127.0.0.1", 0)
        server.start()
        rest.start()
        url = f"http://127.0.0.1:{rest_port}"
        with (
            grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel,
            httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as http,
        ):
            yield Ports(channel, http)
        rest.stop()
        server.stop(0)


@dataclass(frozen=True)
class Ask:
    """An inference, free of any protocol."""

    model: str = "adder"
    version: int = 0
    inputs: dict[str, Tensor] = field(default_factory=lambda: {"x": np.zeros((1, 4), np.float32)})
    output: str = ""


def ask_tfs_grpc(ports: Ports, ask: Ask) -> Answer:
    request = serving_pb2.PredictRequest()
    request.model_spec.name = ask.model
    request.model_spec.version.value = ask.version
    request.output_filter.extend([ask.output] if ask.output else [])
    for name, array in ask.inputs.items():
        request.inputs[name].CopyFrom(encode_tensor_proto(array))
    return ports.call(PREDICT, request.SerializeToString())


def ask_kserve_grpc(ports: Ports, ask: Ask) -> Answer:
    version = str(ask.version or "")
    request = inference_pb2.ModelInferRequest(model_name=ask.model, model_version=version)
    for name, array in ask.inputs.items():
        request.inputs.add(name=name, datatype=KSERVE_TYPES[str(array.dtype)], shape=array.shape)
        request.raw_input_contents.append(encode_raw(array))
    if ask.output:
        request.outputs.add(name=ask.output)
    return ports.call(INFER, request.SerializeToString())


def ask_tfs_rest(ports: Ports, ask: Ask) -> Answer:
    inputs = {name: array.tolist() for name, array in ask.inputs.items()}
    path = f"/v1/models/{ask.model}/versions/{ask.version}:predict"
    return in_words_of_grpc(ports.post(path, json={"inputs": inputs}))


def ask_kserve_rest(ports: Ports, ask: Ask) -> Answer:
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": KSERVE_TYPES[str(array.dtype)],
            "data": array.reshape(-1).tolist(),
        }
        for name, array in ask.inputs.items()
    ]
    body = {"inputs": inputs, "outputs": [{"name": ask.output}] if ask.output else []}
    path = f"/v2/models/{ask.model}/versions/{ask.version}/infer"
    return in_words_of_grpc(ports.post(path, json=body))


def in_words_of_grpc(answer: Answer) -> Answer:
    return Answer(GRPC_OF_HTTP.get(int(answer.code), answer.code), answer.text)


EVERYWHERE: dict[str, Callable[[Ports, Ask], Answer]] = {
    "tfs-grpc": ask_tfs_grpc,
    "kserve-grpc": ask_kserve_grpc,
    "tfs-rest": ask_tfs_rest,
    "kserve-rest": ask_kserve_rest,
}


def zeros(*shape: int, dtype: type = np.float32, name: str = "x") -> dict[str, Tensor]:
    return {name: np.zeros(shape, dtype)}
