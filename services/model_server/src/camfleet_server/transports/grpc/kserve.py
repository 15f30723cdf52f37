"""KServe v2 over gRPC: health, metadata and model configuration; the table of all its RPCs."""

from google.protobuf.json_format import ParseDict

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.answer import Call
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.grpc.calls import (
    Answers,
    Handlers,
    MessageQuota,
    Method,
    health_handler,
    infer_handler,
    refusing,
    service_handlers,
)
from camfleet_server.transports.grpc.kserve_infer import KserveInference
from camfleet_server.transports.grpc.kserve_memory import MemoryCalls
from camfleet_server.transports.grpc.kserve_repository import RepositoryCalls
from camfleet_server.transports.grpc.kserve_settings import SettingsCalls
from camfleet_server.transports.grpc.kserve_tensors import GrpcTensorExtensions
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.stream_pool import StreamPool
from camfleet_server.transports.grpc.streams import stream_handler
from camfleet_server.transports.kserve_tensors import TensorPlaces
from camfleet_server.transports.kserve_terms import (
    NO_CUDA,
    SERVER_VERSION,
    extensions_offered,
    model_config,
    parse_version,
)
from camfleet_server.transports.served import Served
from camfleet_server.types import ModelMetadata

_SERVICE = "inference.GRPCInferenceService"
_METADATA = Call("KServe", "gRPC", "ModelMetadata")
_READY = Call("KServe", "gRPC", "ModelReady")
_YES = pb.ServerLiveResponse(live=True).SerializeToString()  # ServerReadyResponse is no different
_NO = b""


class KserveService:
    """GRPCInferenceService in front of the data plane."""

    def __init__(
        self,
        served: Served,
        metrics: ServerMetrics,
        server_name: str,
        memory: SharedMemory,
    ) -> None:
        self._served = served
        self._metrics = metrics
        self._server_name = server_name
        self._memory = memory
        extensions = GrpcTensorExtensions(TensorPlaces(memory))
        self._inference = KserveInference(served, metrics, extensions)

    def handlers(self, quota: MessageQuota, streams: StreamPool) -> Handlers:
        """Return the handlers of the service."""
        return {
            f"/{_SERVICE}/ModelInfer": infer_handler(self._inference, quota),
            f"/{_SERVICE}/ModelStreamInfer": stream_handler(self._inference, streams, quota),
            f"/{_SERVICE}/ServerLive": health_handler(self.server_live),
            f"/{_SERVICE}/ServerReady": health_handler(self.server_ready),
            f"/{_SERVICE}/CudaSharedMemoryRegister": refusing(NO_CUDA),
            **service_handlers(_SERVICE, self._methods()),
        }

    def _methods(self) -> tuple[Method, ...]:
        answers: Answers = {
            **RepositoryCalls(self._served).answers(),
            **SettingsCalls(self._served).answers(),
            **MemoryCalls(self._memory).answers(),
            "ModelReady": self.model_ready,
            "ServerMetadata": self.server_metadata,
            "ModelMetadata": self.model_metadata,
            "ModelConfig": self.model_config,
        }
        return tuple(
            Method(name, answer, getattr(pb, f"{name}Request"), getattr(pb, f"{name}Response"))
            for name, answer in answers.items()
        )

    def server_live(self) -> bytes:
        """Tell whether the process answers, as a ServerLiveResponse."""
        return _YES if self._served.live() else _NO

    def server_ready(self) -> bytes:
        """Tell whether requests are taken, as a ServerReadyResponse."""
        return _YES if self._served.ready() else _NO

    def model_ready(self, request: pb.ModelReadyRequest, _: Rpc) -> pb.ModelReadyResponse:
        """Tell whether a version is AVAILABLE."""
        with self._metrics.request(_READY, request.name):
            ready = self._served.model_ready(request.name, parse_version(request.version))
            return pb.ModelReadyResponse(ready=ready)

    def server_metadata(self, _: pb.ServerMetadataRequest, __: Rpc) -> pb.ServerMetadataResponse:
        """Tell name and version of the server."""
        return pb.ServerMetadataResponse(
            name=self._server_name,
            version=SERVER_VERSION,
            extensions=extensions_offered(self._memory),
        )

    def model_metadata(self, request: pb.ModelMetadataRequest, _: Rpc) -> pb.ModelMetadataResponse:
        """Describe inputs and outputs."""
        with self._metrics.request(_METADATA, request.name) as answer:
            version = parse_version(request.version)
            metadata = self._served.model_metadata(request.name, version)
            answer.model, answer.version = metadata.name, metadata.version
            return _metadata_response(metadata)

    def model_config(self, request: pb.ModelConfigRequest, _: Rpc) -> pb.ModelConfigResponse:
        """Describe the model with its manifest among the parameters."""
        version = parse_version(request.version)
        metadata = self._served.model_metadata(request.name, version)
        config = ParseDict(model_config(metadata, metadata.manifest.text), pb.ModelConfig())
        return pb.ModelConfigResponse(config=config)


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
