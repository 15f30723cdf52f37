"""/v1/cameras: the cameras and their configuration, read and changed.

Every change is one of cameras.yaml, which all services follow; comments in it stay. A change says
with If-Match which configuration it was made from, so that nobody undoes another's work unseen.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.camera_logins import forget_login, without_login
from camfleet.service.http.changes import Changes, Refused, read_object
from camfleet.service.status import StatusBoard
from camfleet_contracts.camera_entries import (
    Check,
    add_entry,
    merge_entry,
    remove_entry,
    replace_entry,
    tag_of,
)
from camfleet_contracts.cameras import Camera, CamerasFile
from camfleet_contracts.names import CAMERA_NAME
from camfleet_contracts.redaction import redact
from camfleet_contracts.stream_urls import fault_of_url

Write = Callable[[Path, str, Mapping[str, Any], Check], Camera]

_READ_ONLY = {"state"}


class CameraRoutes:
    """Reads come from the file with the running fleet's states, changes go to the file."""

    def __init__(self, state_dir: Path, status: StatusBoard, changes: Changes) -> None:
        self._state_dir, self._status, self._changes = state_dir, status, changes
        self._file = Path(status.cameras_file)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        one, guard = "/v1/cameras/{name}", self._changes.only_admins
        return [
            Route("/v1/cameras", self.list_all),
            Route("/v1/cameras", guard("add cameras", self.add), methods=["POST"]),
            Route(one, self.show),
            Route(one, guard("change cameras", self.replace), methods=["PUT"]),
            Route(one, guard("change cameras", self.merge), methods=["PATCH"]),
            Route(one, guard("remove cameras", self.remove), methods=["DELETE"]),
        ]

    async def list_all(self, _: Request) -> Response:
        """Every camera, and what one does that says nothing else."""
        file = await run_in_threadpool(self._status.configured)
        cameras = [self._status.facts_of(camera) for camera in file.cameras]
        return JSONResponse({"defaults": _defaults_of(file), "cameras": cameras})

    async def show(self, request: Request) -> Response:
        """One camera, with the tag that a change of it must name."""
        name = request.path_params["name"]
        camera = (await run_in_threadpool(self._status.configured)).find(name)
        if camera is None:
            reason = f"camera '{name}' is not in cameras.yaml; see /v1/cameras"
            return JSONResponse({"error": reason}, status_code=404)
        return JSONResponse(self._status.facts_of(camera), headers=_tagged(camera))

    async def add(self, request: Request) -> Response:
        """Add a camera."""
        entry = await _read_entry(request)
        camera = await run_in_threadpool(self._add, entry)
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
        await run_in_threadpool(self._remove, request.path_params["name"], check)
        return Response(status_code=204)

    async def _write(self, request: Request, write: Write) -> Response:
        check, entry = _precondition(request), await _read_entry(request)
        name = request.path_params["name"]
        camera = await run_in_threadpool(self._change, write, name, entry, check)
        return JSONResponse(_shown(camera), headers=_tagged(camera))

    def _add(self, entry: Mapping[str, Any]) -> Camera:
        name = str(entry.get("name"))
        if CAMERA_NAME.fullmatch(name) and self._status.configured().find(name) is None:
            entry = without_login(entry, self._state_dir)
        return add_entry(self._file, entry)

    def _change(self, write: Write, name: str, entry: Mapping[str, Any], check: Check) -> Camera:
        if camera := self._status.configured().find(name):
            check(camera)  # before a login is written in the place of the one there is
            entry = without_login({"name": name, **entry}, self._state_dir, camera)
        changed = write(self._file, name, entry, check)
        if camera:
            forget_login(self._state_dir, camera, self._file)
        return changed

    def _remove(self, name: str, check: Check) -> None:
        forget_login(self._state_dir, remove_entry(self._file, name, check), self._file)


def _defaults_of(file: CamerasFile) -> dict[str, Any]:
    camera = Camera(name="new", source="auto", pipeline=file.defaults)
    return camera.model_dump(mode="json", by_alias=True, exclude={"name", "source", "credentials"})


def _precondition(request: Request) -> Check:
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
    entry = await read_object(request, "a camera")
    request.state.subject = _subject_of(request, entry)
    for key in ("source", "detect_source"):
        if fault := fault_of_url(str(entry.get(key))):
            raise Refused(HTTPStatus.BAD_REQUEST, f"{key}: {fault}")
    return {key: value for key, value in entry.items() if key not in _READ_ONLY}


def _subject_of(request: Request, entry: Mapping[str, Any]) -> str:
    """The camera and which of its settings; never their values, which may be secrets."""
    name = request.path_params.get("name", entry.get("name"))
    pipeline = entry.get("pipeline")
    inner = [f"pipeline.{key}" for key in pipeline] if isinstance(pipeline, dict) else []
    keys = [key for key in entry if key not in {"name", "pipeline", *_READ_ONLY}]
    return redact(f"{name}: {', '.join([*keys, *inner])}"[:200])


def _tagged(camera: Camera) -> dict[str, str]:
    return {"etag": f'"{tag_of(camera)}"', "cache-control": "no-store"}


def _shown(camera: Camera) -> dict[str, Any]:
    facts = camera.model_dump(mode="json", by_alias=True, exclude={"credentials"})
    return {key: redact(v) if key.endswith("source") and v else v for key, v in facts.items()}
