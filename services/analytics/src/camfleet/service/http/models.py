"""/v1/models and /v1/config: what the model server serves, what changed it, and the way back."""

from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.service.http.changes import Changes, Refused, read_object
from camfleet.service.server_figures import Facts, ServerFigures
from camfleet_contracts.direct import read_service, server_rest_address
from camfleet_contracts.serving_config import (
    BadServingConfig,
    Change,
    NoSuchChange,
    changes_of,
    newest_change,
    roll_back,
)
from camfleet_contracts.settings import FleetSettings

TIMEOUT_S = 2.0
_FRESH = {"cache-control": "no-store"}


class ModelRoutes:
    """Reads come from the server's REST side, the history and roll-backs go by the volume."""

    def __init__(self, settings: FleetSettings, key: str, changes: Changes) -> None:
        self._address, self._headers = server_rest_address(settings), {"x-api-key": key}
        self._config = settings.models_dir / "config.json"
        self._changes, self._figures = changes, ServerFigures(self._read)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        take_back = self._changes.only_admins("roll back models", self.roll_back)
        return [
            Route("/v1/models", self.list_all),
            Route("/v1/models/{name}/manifest", self.manifest),
            Route("/v1/config/changes", self.history),
            Route("/v1/config/loads", self.loads),
            Route("/v1/config/rollback", take_back, methods=["POST"]),
        ]

    async def list_all(self, _: Request) -> Response:
        """Models, versions, states with reasons, and figures of the last seconds."""
        found: Facts = {"server": self._address, "reason": None, "config_fault": None, "models": []}
        try:
            found |= await run_in_threadpool(self._figures.served)
        except (OSError, ValueError) as error:
            found["reason"] = self._away(error)
        return JSONResponse(found, headers=_FRESH)

    async def manifest(self, request: Request) -> Response:
        """model.json of a model as the server has it; `?version=` names one."""
        path = f"/v1/models/{quote(request.path_params['name'], safe='')}"
        if version := request.query_params.get("version"):
            path += f"/versions/{quote(version, safe='')}"
        try:
            content = await run_in_threadpool(self._read, f"{path}/manifest")
        except HTTPError as error:
            return JSONResponse({"error": "the server has no such model or version"}, error.code)
        except OSError as error:
            return JSONResponse({"error": f"{self._address} does not answer ({error})"}, 502)
        return Response(content, media_type="application/json", headers=_FRESH)

    async def loads(self, _: Request) -> Response:
        """What the server loaded, let go and refused last, with reasons, newest first."""
        try:
            content = await run_in_threadpool(self._read, "/v1/config/loads")
        except HTTPError:  # another server, or an older one
            reason = f"{self._address} keeps no list of its loads; its log may have them"
            return JSONResponse({"loads": [], "reason": reason}, headers=_FRESH)
        except OSError as error:
            return JSONResponse({"loads": [], "reason": self._away(error)}, headers=_FRESH)
        return Response(content, media_type="application/json", headers=_FRESH)

    async def history(self, _: Request) -> Response:
        """The changes of config.json that its history knows, newest first."""
        try:
            changes = await run_in_threadpool(changes_of, self._config)
        except OSError as error:
            reason = f"{self._config} cannot be read here: {error.strerror}"
            return JSONResponse({"changes": [], "reason": reason}, headers=_FRESH)
        found = {"changes": [change.facts() for change in changes], "reason": None}
        return JSONResponse(found, headers=_FRESH)

    async def roll_back(self, request: Request) -> Response:
        """Give config.json the text from before a change: {"number": n, "newest": what you saw}."""
        asked = await read_object(request, "a roll-back")
        number, newest = asked.get("number"), asked.get("newest")
        if not isinstance(number, int) or not isinstance(newest, int):
            reason = "send number (the change to take back) and newest (the newest you know of)"
            raise Refused(HTTPStatus.BAD_REQUEST, reason)
        request.state.subject = f"config.json before change {number}"
        taken_back = await run_in_threadpool(self._roll_back, number, newest)
        return JSONResponse({"taken_back": taken_back and taken_back.facts()})

    def _roll_back(self, number: int, newest: int) -> Change | None:
        if newest_change(self._config) != newest:
            reason = "config.json was changed meanwhile; look at its changes again"
            raise Refused(HTTPStatus.PRECONDITION_FAILED, reason)
        try:
            return roll_back(self._config, number)
        except NoSuchChange as error:
            raise Refused(HTTPStatus.NOT_FOUND, str(error)) from error
        except BadServingConfig as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from error

    def _away(self, error: Exception) -> str:
        return f"{self._address} does not answer ({error}); start it with: camfleet up"

    def _read(self, path: str) -> bytes:
        return read_service(self._address + path, TIMEOUT_S, self._headers)
