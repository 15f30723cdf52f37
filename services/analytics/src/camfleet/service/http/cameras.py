"""/v1/cameras: the cameras and their configuration, read and changed.

Every change is one of cameras.yaml, which all services follow; comments in it stay. A change says
with If-Match which configuration it was made from, so that nobody undoes another's work unseen.
"""

import errno
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.service.status import StatusBoard
from camfleet_contracts.camera_entries import (
    CameraExists,
    NoSuchCamera,
    add_entry,
    merge_entry,
    remove_entry,
    replace_entry,
    tag_of,
)
from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_file import BadCameras, CamerasChanged
from camfleet_contracts.redaction import redact

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 16
_READ_ONLY = {"state"}

Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """The request cannot be done; status and text are the answer."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


_STATUS: dict[type[Exception], HTTPStatus] = {
    NoSuchCamera: HTTPStatus.NOT_FOUND,
    CameraExists: HTTPStatus.CONFLICT,
    CamerasChanged: HTTPStatus.PRECONDITION_FAILED,
    BadCameras: HTTPStatus.BAD_REQUEST,
}


class CameraRoutes:
    """Reads come from the file with the running fleet's states, changes go to the file."""

    def __init__(self, status: StatusBoard) -> None:
        self._status = status
        self._file = Path(status.cameras_file)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        one = "/v1/cameras/{name}"
        return [
            Route("/v1/cameras", self.list_all),
            Route("/v1/cameras", changing(self.add), methods=["POST"]),
            Route(one, self.show),
            Route(one, changing(self.replace), methods=["PUT"]),
            Route(one, changing(self.merge), methods=["PATCH"]),
            Route(one, changing(self.remove), methods=["DELETE"]),
        ]

    async def list_all(self, _: Request) -> Response:
        """Every camera."""
        cameras = await run_in_threadpool(self._status.configured)
        return JSONResponse({"cameras": [self._status.facts_of(camera) for camera in cameras]})

    async def show(self, request: Request) -> Response:
        """One camera, with the tag that a change of it must name."""
        name = request.path_params["name"]
        cameras = await run_in_threadpool(self._status.configured)
        camera = next((one for one in cameras if one.name == name), None)
        if camera is None:
            reason = f"camera '{name}' is not in cameras.yaml; see /v1/cameras"
            return JSONResponse({"error": reason}, status_code=404)
        return JSONResponse(self._status.facts_of(camera), headers=_tagged(camera))

    async def add(self, request: Request) -> Response:
        """Add a camera."""
        entry = await _read_entry(request)
        camera = await run_in_threadpool(add_entry, self._file, entry)
        headers = _tagged(camera) | {"location": f"/v1/cameras/{camera.name}"}
        return JSONResponse(_shown(camera), 201, headers)

    async def replace(self, request: Request) -> Response:
        """Put a whole configuration in the place of the one there is."""
        return await self._write(request, replace_entry)

    async def merge(self, request: Request) -> Response:
        """Change some values; null takes one out."""
        return await self._write(request, merge_entry)

    async def remove(self, request: Request) -> Response:
        """Take a camera out."""
        check = _precondition(request)
        await run_in_threadpool(remove_entry, self._file, request.path_params["name"], check)
        return Response(status_code=204)

    async def _write(self, request: Request, write: Callable[..., Camera]) -> Response:
        check, entry = _precondition(request), await _read_entry(request)
        name = request.path_params["name"]
        camera = await run_in_threadpool(write, self._file, name, entry, check)
        return JSONResponse(_shown(camera), headers=_tagged(camera))


def changing(answer: Handler) -> Handler:
    """Let only admins in, and turn what is refused into its status and text."""

    async def guarded(request: Request) -> Response:
        key = request.scope.get("camfleet_key")
        if key is None or key.role != "admin":
            return JSONResponse({"error": "only a key of role admin may change cameras"}, 403)
        try:
            return await answer(request)
        except Refused as error:
            return JSONResponse({"error": str(error)}, error.status)
        except tuple(_STATUS) as error:
            return JSONResponse({"error": redact(str(error))}, _STATUS[type(error)])
        except OSError as error:
            logger.warning("cameras file not changed reason=%s", error)
            return JSONResponse({"error": f"cameras.yaml: {error.strerror}"}, _status_of(error))

    return guarded


def _status_of(error: OSError) -> HTTPStatus:
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.INTERNAL_SERVER_ERROR


def _precondition(request: Request) -> Callable[[Camera], None]:
    wanted = request.headers.get("if-match")
    if wanted is None:
        reason = "send If-Match with the ETag that GET gave (or *), so that no other change is lost"
        raise Refused(HTTPStatus.PRECONDITION_REQUIRED, reason)
    tags = {part.strip().removeprefix("W/").strip('"') for part in wanted.split(",")}

    def check(camera: Camera) -> None:
        if not tags & {"*", tag_of(camera)}:
            reason = f"camera '{camera.name}' was changed meanwhile; GET it again"
            raise Refused(HTTPStatus.PRECONDITION_FAILED, reason)

    return check


async def _read_entry(request: Request) -> Mapping[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind not in {"application/json", "application/merge-patch+json"}:
        reason = "send the camera as JSON, with content-type application/json"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            reason = f"a camera takes at most {MAX_BODY_BYTES} bytes"
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"not readable as JSON: {error}") from error
    if not isinstance(entry, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, 'send one object: {"name": ..., "source": ...}')
    return {key: value for key, value in entry.items() if key not in _READ_ONLY}


def _tagged(camera: Camera) -> dict[str, str]:
    return {"etag": f'"{tag_of(camera)}"', "cache-control": "no-store"}


def _shown(camera: Camera) -> dict[str, Any]:
    facts = camera.model_dump(mode="json", by_alias=True, exclude={"credentials"})
    return {key: redact(v) if key.endswith("source") and v else v for key, v in facts.items()}
