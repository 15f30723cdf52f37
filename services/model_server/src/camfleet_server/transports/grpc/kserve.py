"""KServe v2 over gRPC, with Triton's streaming, model configuration and repository index."""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version as installed_version
from typing import Any

import grpc
import structlog
from google.protobuf.json_format import ParseDict

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.tensors import decode_infer_inputs, encode_infer_outputs
from camfleet_server.metrics import Call, ServerMetrics
from camfleet_server.transports.codes import EXPECTED
from camfleet_server.transports.grpc.calls import (
    Method,
    deadline_of,
    service_handlers,
)
from camfleet_server.transports.kserve_terms import (
    EXTENSIONS,
    deadline_from,
    model_config,
    number_from,
    parse_version,
    repository_state,
    stream_from,
)
from camfleet_server.transports.served import Served
from camfleet_server.types import InferRequest, InferResult, ModelMetadata

logger = structlog.get_logger(__name__)

_SERVICE = "inference.GRPCInferenceService"
_INFER = Call("KServe", "gRPC", "ModelInfer")
_METADATA = Call("KServe", "gRPC", "ModelMetadata")
_READY = Call("KServe", "gRPC", "ModelReady")


class KserveService:
    """GRPCInferenceService in front of the data plane."""

    def __init__(self, served: Served, metrics: ServerMetrics, server_name: str) -> None:
        self._served = served
        self._metrics = metrics
        self._server_name = server_name

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """Return the service as generic handlers."""
        stream = grpc.stream_stream_rpc_method_handler(
            self.model_stream_infer,
            pb.ModelInferRequest.FromString,
            pb.ModelStreamInferResponse.SerializeToString,
        )
        return (
            service_handlers(_SERVICE, self._methods()),
            grpc.method_handlers_generic_handler(_SERVICE, {"ModelStreamInfer": stream}),
        )

    def _methods(self) -> tuple[Method, ...]:
        answers: dict[str, Callable[[Any, Any], Any]] = {
            "ServerLive": self.server_live,
            "ServerReady": self.server_ready,
            "ModelReady": self.model_ready,
            "ServerMetadata": self.server_metadata,
            "ModelMetadata": self.model_metadata,
            "ModelConfig": self.model_config,
            "RepositoryIndex": self.repository_index,
        }
        named = (
            Method(name, answer, getattr(pb, f"{name}Request"), getattr(pb, f"{name}Response"))
            for name, answer in answers.items()
        )
        infer = Method("ModelInfer", self.model_infer, pb.ModelInferRequest, pb.ModelInferResponse)
        return (infer, *named)

    def server_live(
        self, _: pb.ServerLiveRequest, __: grpc.ServicerContext
    ) -> pb.ServerLiveResponse:
        """Tell whether the process answers."""
        return pb.ServerLiveResponse(live=self._served.live())

    def server_ready(
        self, _: pb.ServerReadyRequest, __: grpc.ServicerContext
    ) -> pb.ServerReadyResponse:
        """Tell whether requests are taken."""
        return pb.ServerReadyResponse(ready=self._served.ready())

    def model_ready(
        self, request: pb.ModelReadyRequest, _: grpc.ServicerContext
    ) -> pb.ModelReadyResponse:
        """Tell whether a version is AVAILABLE."""
        with self._metrics.request(_READY, request.name):
            ready = self._served.model_ready(request.name, parse_version(request.version))
            return pb.ModelReadyResponse(ready=ready)

    def server_metadata(
        self, _: pb.ServerMetadataRequest, __: grpc.ServicerContext
    ) -> pb.ServerMetadataResponse:
        """Tell name and version of the server."""
        version = installed_version("camfleet-server")
        return pb.ServerMetadataResponse(
            name=self._server_name, version=version, extensions=EXTENSIONS
        )

    def model_metadata(
        self, request: pb.ModelMetadataRequest, _: grpc.ServicerContext
    ) -> pb.ModelMetadataResponse:
        """Describe inputs and outputs."""
        with self._metrics.request(_METADATA, request.name) as answer:
            version = parse_version(request.version)
            metadata = self._served.model_metadata(request.name, version)
            answer.version = metadata.version
            return _metadata_response(metadata)

    def model_config(
        self, request: pb.ModelConfigRequest, _: grpc.ServicerContext
    ) -> pb.ModelConfigResponse:
        """Describe the model with its manifest among the parameters."""
        version = parse_version(request.version)
        metadata = self._served.model_metadata(request.name, version)
        manifest = self._served.manifest(request.name, metadata.version)
        config = ParseDict(model_config(metadata, manifest.text), pb.ModelConfig())
        return pb.ModelConfigResponse(config=config)

    def repository_index(
        self, request: pb.RepositoryIndexRequest, _: grpc.ServicerContext
    ) -> pb.RepositoryIndexResponse:
        """List every version of every model with its state and reason."""
        response = pb.RepositoryIndexResponse()
        for name, statuses in self._served.all_statuses().items():
            for status in statuses:
                state = repository_state(status)
                if state == "READY" or not request.ready:
                    response.models.add(
                        name=name, version=str(status.version), state=state, reason=status.reason
                    )
        return response

    def model_infer(
        self, request: pb.ModelInferRequest, context: grpc.ServicerContext
    ) -> pb.ModelInferResponse:
        """Infer on the inputs of the request."""
        with self._metrics.request(_INFER, request.model_name) as answer:
            result = self._served.infer(_infer_request(request, context))
            answer.version = result.version
            return _infer_response(result, request.id)

    def model_stream_infer(
        self, requests: Iterable[pb.ModelInferRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ModelStreamInferResponse]:
        """Answer the requests of a stream in order; an error ends its request, not the stream."""
        for request in requests:
            try:
                response = self.model_infer(request, context)
                yield pb.ModelStreamInferResponse(infer_response=response)
            except EXPECTED as error:
                yield _stream_error(request, str(error))
            # A request of the stream ends here: logged whole, the others go on.
            except Exception as error:
                logger.exception("stream_request_failed", model=request.model_name)
                yield _stream_error(request, f"Internal server error - {error!r}")


def _stream_error(request: pb.ModelInferRequest, text: str) -> pb.ModelStreamInferResponse:
    response = pb.ModelStreamInferResponse(error_message=text)
    response.infer_response.id = request.id
    response.infer_response.model_name = request.model_name
    return response


def _infer_request(request: pb.ModelInferRequest, context: grpc.ServicerContext) -> InferRequest:
    parameters = _plain(request.parameters) if request.parameters else {}
    return InferRequest(
        model=request.model_name,
        version=parse_version(request.model_version),
        inputs=decode_infer_inputs(request),
        outputs=tuple(output.name for output in request.outputs),
        deadline=deadline_from(parameters, deadline_of(context)),
        stream_id=stream_from(parameters),
        priority=number_from(parameters, "priority"),
    )


def _plain(parameters: Any) -> dict[str, Any]:
    chosen = {key: value.WhichOneof("parameter_choice") for key, value in parameters.items()}
    return {key: getattr(parameters[key], field) for key, field in chosen.items() if field}


def _infer_response(result: InferResult, request_id: str) -> pb.ModelInferResponse:
    response = pb.ModelInferResponse(
        model_name=result.model, model_version=str(result.version), id=request_id
    )
    encode_infer_outputs(result.outputs, response)
    return response


def _metadata_response(metadata: ModelMetadata) -> pb.ModelMetadataResponse:
    response = pb.ModelMetadataResponse(
        name=metadata.name,
        versions=[str(version) for version in metadata.versions],
        platform=metadata.platform,
    )
    for spec in metadata.inputs:
        response.inputs.add(name=spec.name, datatype=spec.datatype, shape=spec.shape)
    for spec in metadata.outputs:
        response.outputs.add(name=spec.name, datatype=spec.datatype, shape=spec.shape)
    return response
