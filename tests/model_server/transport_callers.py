"""The transports on free ports in front of a fake data plane, and callers for them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx

from camfleet_contracts.access import Network
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.protocols import inference_pb2, serving_pb2
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.rest.app import build_app, guarded
from camfleet_server.transports.rest.server import RestServer
from fakes_model_server import FakeDataPlane

TIMEOUT_S = 60
KSERVE = "/inference.GRPCInferenceService"
PREDICTION = "/tensorflow.serving.PredictionService"
MODELS = "/tensorflow.serving.ModelService"


@dataclass
class GrpcCaller:
    """Calls any method with our own messages."""

    plane: FakeDataPlane
    port: int
    channel: grpc.Channel
    metrics: ServerMetrics

    def call(
        self,
        method: str,
        request: Any,
        response_type: Any,
        *,
        timeout_s: float | None = TIMEOUT_S,
        metadata: Mapping[str, str] | None = None,
    ) -> Any:
        unary = self.channel.unary_unary(
            method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=response_type.FromString,
        )
        return unary(request, timeout=timeout_s, metadata=tuple((metadata or {}).items()))

    def kserve(self, name: str, request: Any, **options: Any) -> Any:
        response_type = getattr(inference_pb2, f"{name}Response")
        return self.call(f"{KSERVE}/{name}", request, response_type, **options)

    def stream(self, requests: Iterable[Any]) -> list[Any]:
        call = self.channel.stream_stream(
            f"{KSERVE}/ModelStreamInfer",
            request_serializer=inference_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=inference_pb2.ModelStreamInferResponse.FromString,
        )
        return list(call(iter(requests), timeout=TIMEOUT_S))

    def predict(self, request: serving_pb2.PredictRequest, **options: Any) -> Any:
        return self.call(f"{PREDICTION}/Predict", request, serving_pb2.PredictResponse, **options)

    def metadata(self, request: serving_pb2.GetModelMetadataRequest) -> Any:
        response_type = serving_pb2.GetModelMetadataResponse
        return self.call(f"{PREDICTION}/GetModelMetadata", request, response_type)

    def status(self, request: serving_pb2.GetModelStatusRequest) -> Any:
        response_type = serving_pb2.GetModelStatusResponse
        return self.call(f"{MODELS}/GetModelStatus", request, response_type)

    def reload(self, request: serving_pb2.ReloadConfigRequest) -> Any:
        response_type = serving_pb2.ReloadConfigResponse
        return self.call(f"{MODELS}/HandleReloadConfigRequest", request, response_type)


@contextmanager
def serving_grpc(plane: FakeDataPlane | None = None, **options: Any) -> Iterator[GrpcCaller]:
    """Serve a fake data plane over gRPC until the block ends."""
    plane, metrics = plane or FakeDataPlane(), ServerMetrics()
    server = GrpcServer(plane, metrics, **options)
    port = server.bind("127.0.0.1", 0)
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield GrpcCaller(plane, port, channel, metrics)
    finally:
        server.stop(0)


@dataclass
class RestCaller:
    """Calls the REST port of a fake data plane."""

    plane: FakeDataPlane
    port: int
    http: httpx.Client
    metrics: ServerMetrics

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.http.post(path, **options)


@contextmanager
def serving_rest(
    plane: FakeDataPlane | None = None,
    keys: KeyStore | None = None,
    networks: tuple[Network, ...] = (),
    **options: Any,
) -> Iterator[RestCaller]:
    """Serve a fake data plane over REST until the block ends."""
    plane, metrics = plane or FakeDataPlane(), ServerMetrics()
    server = RestServer(guarded(build_app(plane, metrics, **options), keys, networks))
    port = server.bind("127.0.0.1", 0)
    server.start()
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as http:
            yield RestCaller(plane, port, http, metrics)
    finally:
        server.stop()


@contextmanager
def refused() -> Iterator[list[grpc.RpcError]]:
    """Collect the error the block must end with."""
    errors: list[grpc.RpcError] = []
    try:
        yield errors
    except grpc.RpcError as error:
        errors.append(error)
    assert errors, "the call was answered"
