"""/v1/source-trials and /v1/secrets: what adding a camera needs beside its entry."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.camera_logins import is_usable, keep_login, reference_to
from camfleet.service.http.changes import Changes, Refused, read_object
from camfleet.service.source_trial import login_behind, try_camera, try_source
from camfleet.service.status import StatusBoard
from camfleet.video.look import NothingCame
from camfleet_contracts.camera_entries import CameraExists
from camfleet_contracts.cameras import Camera
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.names import CAMERA_NAME
from camfleet_contracts.secret_references import Credentials
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
        """{"camera": name}, or {"source": ...} with a login: what comes of it.

        The login is `user` and `password`, or `credentials`, a reference, or the one of `camera`.
        """
        asked = await read_object(request, "a trial")
        request.state.subject = str(asked.get("camera") or "a new source")
        try:
            return JSONResponse(await run_in_threadpool(self._try, asked))
        except NothingCame as error:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error

    def _try(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name, source = asked.get("camera"), asked.get("source")
        camera = self._camera(name) if isinstance(name, str) else None
        if isinstance(source, str):
            return try_source(source, _login_of(asked, camera))
        if camera is None:
            raise Refused(HTTPStatus.BAD_REQUEST, 'send {"camera": name} or {"source": address}')
        told = self._status.told_of(camera.name)
        return try_camera(camera, told, self._settings, self._keys)

    def _camera(self, name: str) -> Camera:
        camera = self._status.configured().find(name)
        if camera is None:
            reason = f"camera '{name}' is not in cameras.yaml; see /v1/cameras"
            raise Refused(HTTPStatus.NOT_FOUND, reason)
        return camera

    async def write_secret(self, request: Request) -> Response:
        """{"user": ..., "password": ...} into a file of the state folder; its reference.

        With `If-None-Match: *` the login of a camera that is there is left as it is.
        """
        asked, name = await read_object(request, "a secret"), request.path_params["name"]
        if not CAMERA_NAME.fullmatch(name):
            raise Refused(HTTPStatus.BAD_REQUEST, "name: use 1 to 32 of a-z, 0-9 and '-'")
        login = _typed_login(asked)
        cameras = await run_in_threadpool(self._status.configured)
        if request.headers.get("if-none-match") == "*" and cameras.find(name):
            raise CameraExists(name, Path(self._status.cameras_file))
        kept = await run_in_threadpool(keep_login, self._settings.state_dir, name, login)
        return JSONResponse({"credentials": reference_to(kept)}, 201)


def _login_of(asked: Mapping[str, Any], camera: Camera | None) -> Credentials | None:
    """What the trial of a source shall log in with. Raises Refused, NothingCame."""
    if "user" in asked:
        return _typed_login(asked)
    given = asked.get("credentials", camera.credentials if camera else None)
    if given is not None and not isinstance(given, str):
        raise Refused(HTTPStatus.BAD_REQUEST, "credentials: send ${env:NAME} or ${file:PATH}")
    return login_behind(given)


def _typed_login(asked: Mapping[str, Any]) -> Credentials:
    user, password = asked.get("user"), asked.get("password")
    if not is_usable(user, password):
        reason = "give a user (without a colon) and a password, one line each"
        raise Refused(HTTPStatus.BAD_REQUEST, reason)
    return str(user), str(password)
