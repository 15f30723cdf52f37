"""Triton's shared memory extensions over REST."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from camfleet_server.errors import InvalidInput, RegionNotFound
from camfleet_server.serving.shared_memory import Region, SharedMemory
from camfleet_server.transports.kserve_terms import NO_CUDA, number_from
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.calls import with_body
from camfleet_server.transports.rest.json_tensors import parse_object

_SYSTEM, _CUDA = "/v2/systemsharedmemory", "/v2/cudasharedmemory"
_REGION = "/region/{region}"


class MemoryRoutes:
    """The paths below /v2/systemsharedmemory and /v2/cudasharedmemory."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory

    def routes(self) -> list[Route]:
        """Return the routes."""
        register = with_body(self.register, is_control=True)
        unregister = with_body(self.unregister, is_control=True)
        return [
            Route(f"{_SYSTEM}{_REGION}/register", register, methods=["POST"]),
            Route(f"{_CUDA}{_REGION}/register", self.cuda_register, methods=["POST"]),
            *(
                route
                for middle in ("", _REGION)
                for route in (
                    Route(f"{_SYSTEM}{middle}/status", self.status),
                    Route(f"{_SYSTEM}{middle}/unregister", unregister, methods=["POST"]),
                    Route(f"{_CUDA}{middle}/status", self.cuda_status),
                    Route(f"{_CUDA}{middle}/unregister", self.cuda_unregister, methods=["POST"]),
                )
            ),
        ]

    def status(self, request: Request) -> Response:
        """Tell the region of that name, or all."""
        regions = self._memory.regions(request.path_params.get("region", ""))
        return JSONResponse([asdict(region) for region in regions])

    def register(self, request: Request, body: Body) -> Response:
        """Make part of a segment known under a name."""
        wanted = parse_object(body)
        name = request.path_params["region"]
        size, offset = (number_from(wanted, field) for field in ("byte_size", "offset"))
        self._memory.register(Region(name, _key(wanted), offset, size))
        return Response()

    def unregister(self, request: Request, _: Body) -> Response:
        """Forget the region of that name, or all."""
        self._memory.unregister(request.path_params.get("region", ""))
        return Response()

    def cuda_status(self, request: Request) -> Response:
        """Tell that there are no regions."""
        if "region" in request.path_params:
            raise RegionNotFound(request.path_params["region"])
        return JSONResponse([])

    def cuda_register(self, _: Request) -> Response:
        """Refuse: there is no such memory."""
        return JSONResponse({"error": NO_CUDA}, 501)

    def cuda_unregister(self, _: Request) -> Response:
        """Forget what is not there."""
        return Response()


def _key(wanted: dict[str, Any]) -> str:
    key = wanted.get("key")
    if not isinstance(key, str):
        raise InvalidInput("Invalid JSON structure - 'key' is missing or no text")
    return key
