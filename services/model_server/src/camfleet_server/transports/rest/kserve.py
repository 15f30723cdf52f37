"""KServe v2 over REST: health, metadata, inference; the table of all /v2 paths."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from camfleet_server.answer import Call
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.kserve_tensors import TensorPlaces
from camfleet_server.transports.kserve_terms import SERVER_VERSION, extensions_offered, model_config
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.calls import on_abandoned, peer_of, version_in, with_body
from camfleet_server.transports.rest.kserve_infer import infer_response, read_request, split_body
from camfleet_server.transports.rest.kserve_memory import MemoryRoutes
from camfleet_server.transports.rest.kserve_repository import RepositoryRoutes
from camfleet_server.transports.rest.kserve_settings import SettingsRoutes
from camfleet_server.transports.served import Served
from camfleet_server.types import ModelMetadata, TensorSpec

_INFER = Call("KServe", "REST", "ModelInfer")
_METADATA = Call("KServe", "REST", "ModelMetadata")
_READY = Call("KServe", "REST", "ModelReady")


class KserveRoutes:
    """The /v2 paths in front of the data plane."""

    def __init__(
        self, served: Served, metrics: ServerMetrics, server_name: str, memory: SharedMemory
    ) -> None:
        self._served = served
        self._memory = memory
        self._places = TensorPlaces(memory)
        self._metrics = metrics
        self._server_name = server_name

    def routes(self) -> list[Route]:
        """Return all /v2 routes."""
        model = [
            ("", self.metadata, "GET"),
            ("/ready", self.model_ready, "GET"),
            ("/config", self.config, "GET"),
            ("/infer", with_body(self.infer), "POST"),
        ]
        prefixes = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
        return [
            Route("/v2/health/live", self.live),
            Route("/v2/health/ready", self.ready),
            Route("/v2", self.server_metadata),
            *RepositoryRoutes(self._served).routes(),
            *SettingsRoutes(self._served).routes(),
            *MemoryRoutes(self._memory).routes(),
            *(
                Route(prefix + path, handler, methods=[method])
                for prefix in prefixes
                for path, handler, method in model
            ),
        ]

    async def live(self, _: Request) -> Response:
        """Answer 200 as long as the process does."""
        return Response(status_code=200 if self._served.live() else 503)

    async def ready(self, _: Request) -> Response:
        """Answer 200 when requests are taken, 503 before."""
        return Response(status_code=200 if self._served.ready() else 503)

    async def server_metadata(self, _: Request) -> Response:
        """Tell name and version of the server."""
        offered = extensions_offered(self._memory)
        return JSONResponse(
            {"name": self._server_name, "version": SERVER_VERSION, "extensions": offered}
        )

    def model_ready(self, request: Request) -> Response:
        """Answer 200 when the version is AVAILABLE, 503 otherwise."""
        name = request.path_params["model"]
        with self._metrics.request(_READY, name):
            ready = self._served.model_ready(name, version_in(request))
            return Response(status_code=200 if ready else 503)

    def metadata(self, request: Request) -> Response:
        """Describe inputs and outputs."""
        name = request.path_params["model"]
        with self._metrics.request(_METADATA, name) as answer:
            metadata = self._served.model_metadata(name, version_in(request))
            answer.model, answer.version = metadata.name, metadata.version
            return JSONResponse(_metadata_json(metadata))

    def config(self, request: Request) -> Response:
        """Describe the model with its manifest among the parameters."""
        name = request.path_params["model"]
        metadata = self._served.model_metadata(name, version_in(request))
        return JSONResponse(model_config(metadata, metadata.manifest.text))

    def infer(self, request: Request, body: Body) -> Response:
        """Infer on the inputs of the request."""
        name = request.path_params["model"]
        with self._metrics.request(_INFER, name) as answer:
            head, tail = split_body(request, body)
            infer_request, wanted = read_request(
                name, version_in(request), head, tail, self._places
            )
            infer_request = replace(
                infer_request, on_abandoned=on_abandoned(request), peer=peer_of(request)
            )
            result = self._served.infer(infer_request)
            answer.model, answer.version = result.model, result.version
            return infer_response(request, result, wanted, self._places)


def _metadata_json(metadata: ModelMetadata) -> dict[str, Any]:
    return {
        "name": metadata.name,
        "versions": [str(version) for version in metadata.versions],
        "platform": metadata.platform,
        "inputs": [_spec_json(spec) for spec in metadata.inputs],
        "outputs": [_spec_json(spec) for spec in metadata.outputs],
    }


def _spec_json(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}
