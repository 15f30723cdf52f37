"""/v1/source-trials and /v1/secrets: what adding a camera needs beside its entry."""

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.camera_logins import is_usable, keep_login, reference_to
from camfleet.service.http.changes import Changes, Refused, read_object
from camfleet.service.source_trial import try_camera, try_source
from camfleet.service.status import StatusBoard
from camfleet.video.look import NothingCame
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.names import CAMERA_NAME
from camfleet_contracts.settings import FleetSettings


class CameraSetupRoutes:
    """Trials open what an admin names; secrets are written and never read back."""

    def __init__(
        self, settings: FleetSettings, keys: KeyStore, status: StatusBoard, changes: Changes
    ) -> None:
        self._settings, self._keys = settings, keys
        self._status, self._changes = status, changes

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        guard = self._changes.only_admins
        trial = guard("try a source", self.try_out)
        secret = guard("write a secret", self.write_secret)
        return [
            Route("/v1/source-trials", trial, methods=["POST"]),
            Route("/v1/secrets/{name}", secret, methods=["PUT"]),
        ]

    async def try_out(self, request: Request) -> Response:
        """{"camera": name}, or {"source": ..., "credentials": "${...}"}: what comes of it."""
        asked = await read_object(request, "a trial")
        name, source, credentials = (asked.get(k) for k in ("camera", "source", "credentials"))
        request.state.subject = str(name or "a new source")
        try:
            if isinstance(name, str):
                return JSONResponse(await run_in_threadpool(self._try_camera, name))
            if isinstance(source, str) and (credentials is None or isinstance(credentials, str)):
                return JSONResponse(await run_in_threadpool(try_source, source, credentials))
        except NothingCame as error:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        raise Refused(HTTPStatus.BAD_REQUEST, 'send {"camera": name} or {"source": address}')

    def _try_camera(self, name: str) -> dict[str, object]:
        camera = next((one for one in self._status.configured() if one.name == name), None)
        if camera is None:
            reason = f"camera '{name}' is not in cameras.yaml; see /v1/cameras"
            raise Refused(HTTPStatus.NOT_FOUND, reason)
        return try_camera(camera, self._status.told_of(name), self._settings, self._keys)

    async def write_secret(self, request: Request) -> Response:
        """{"user": ..., "password": ...} into a file of the state folder; its reference."""
        asked = await read_object(request, "a secret")
        name, user, password = request.path_params["name"], asked.get("user"), asked.get("password")
        if not CAMERA_NAME.fullmatch(name):
            raise Refused(HTTPStatus.BAD_REQUEST, "name: use 1 to 32 of a-z, 0-9 and '-'")
        if not is_usable(user, password):
            reason = "send user (without a colon) and password, one line each"
            raise Refused(HTTPStatus.BAD_REQUEST, reason)
        login = str(user), str(password)
        kept = await run_in_threadpool(keep_login, self._settings.state_dir, name, login)
        return JSONResponse({"credentials": reference_to(kept)}, 201)
