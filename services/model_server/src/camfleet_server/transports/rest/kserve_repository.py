"""Models over REST: Triton's repository and statistics extensions."""

import base64
import binascii
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from camfleet_server.errors import InvalidInput
from camfleet_server.transports.kserve_repository import (
    CONFIG,
    UNLOAD_DEPENDENTS,
    index_entries,
    overrides_in,
    refuse_unknown,
)
from camfleet_server.transports.kserve_statistics import model_stats
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.calls import version_in, with_body
from camfleet_server.transports.rest.json_tensors import parse_object
from camfleet_server.transports.served import Served


class RepositoryRoutes:
    """The paths below /v2/repository, and those that end in /stats."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def routes(self) -> list[Route]:
        """Return the routes."""
        control = {
            "/v2/repository/models/{model}/load": self.load,
            "/v2/repository/models/{model}/unload": self.unload,
        }
        statistics = (
            "/v2/models/stats",
            "/v2/models/{model}/stats",
            "/v2/models/{model}/versions/{version}/stats",
        )
        return [
            *(Route(path, self.statistics) for path in statistics),
            Route("/v2/repository/index", with_body(self.index), methods=["POST"]),
            *(
                Route(path, with_body(answer, is_control=True), methods=["POST"])
                for path, answer in control.items()
            ),
        ]

    def index(self, _: Request, body: Body) -> Response:
        """List every version of every model with its state and reason."""
        only_ready = bool(body) and parse_object(body).get("ready") is True
        return JSONResponse(index_entries(self._served, only_ready=only_ready))

    def load(self, request: Request, body: Body) -> Response:
        """Load a model and wait for it."""
        name = request.path_params["model"]
        parameters = _parameters(body)
        config = overrides_in(self._served, name, parameters)
        files = {key: _content(key, text) for key, text in parameters.items() if key != CONFIG}
        self._served.load_model(name, config, files)
        return Response()

    def unload(self, request: Request, body: Body) -> Response:
        """Unload a model; none has dependents."""
        refuse_unknown(_parameters(body), UNLOAD_DEPENDENTS)
        self._served.unload_model(request.path_params["model"])
        return Response()

    def statistics(self, request: Request) -> Response:
        """Tell what every version, or the ones that were asked for, did so far."""
        name = request.path_params.get("model", "")
        return JSONResponse(model_stats(self._served.statistics(name, version_in(request))))


def _parameters(body: Body) -> dict[str, Any]:
    parameters = parse_object(body).get("parameters", {}) if body else {}
    if not isinstance(parameters, dict):
        raise InvalidInput("Invalid JSON structure - parameters: Expected: an object")
    return parameters


def _content(name: str, text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidInput(f"parameter '{name[:80]}' - Expected: base64; {error}") from error
