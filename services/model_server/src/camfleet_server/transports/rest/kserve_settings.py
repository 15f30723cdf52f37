"""Triton's logging and trace extensions over REST."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from camfleet_server.errors import InvalidInput
from camfleet_server.transports.log_settings import change_log_settings, read_log_settings
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.calls import with_body
from camfleet_server.transports.rest.json_tensors import parse_object
from camfleet_server.transports.served import Catalogue
from camfleet_server.transports.trace_settings import refuse_tracing, trace_json


class SettingsRoutes:
    """/v2/logging and the paths that end in /trace/setting."""

    def __init__(self, served: Catalogue) -> None:
        self._served = served

    def routes(self) -> list[Route]:
        """Return the routes."""
        traces = ("/v2/trace/setting", "/v2/models/{model}/trace/setting")
        return [
            Route("/v2/logging", self.log),
            Route("/v2/logging", _changing(self.change_log), methods=["POST"]),
            *(Route(path, self.trace) for path in traces),
            *(Route(path, _changing(self.change_trace), methods=["POST"]) for path in traces),
        ]

    def log(self, _: Request) -> Response:
        """Tell what is logged."""
        return JSONResponse(read_log_settings())

    def change_log(self, _: Request, body: Body) -> Response:
        """Change what is logged and tell what is logged now."""
        return JSONResponse(change_log_settings(parse_object(body) if body else {}))

    def trace(self, request: Request) -> Response:
        """Tell that nothing is traced."""
        if "model" in request.path_params:
            self._served.statuses(request.path_params["model"])  # raises where there is none
        return JSONResponse(trace_json())

    def change_trace(self, request: Request, body: Body) -> Response:
        """Refuse to trace."""
        changes = parse_object(body) if body else {}
        refuse_tracing({name: _values(name, value) for name, value in changes.items()})
        return self.trace(request)


def _changing(answer: Any) -> Any:
    return with_body(answer, is_control=True)


def _values(name: str, value: Any) -> list[str]:
    """Read a setting as a list; null clears it."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(text, str | int) for text in values):
        raise InvalidInput(f"trace setting '{name[:80]}' - Expected: text, or a list of texts")
    return [str(text) for text in values]
