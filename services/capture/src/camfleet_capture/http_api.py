"""HTTP: state, snapshots and truth of the cameras, health and metrics."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from camfleet_capture.camera import Camera
from camfleet_capture.camera_set import CameraSet
from camfleet_capture.camera_states import CameraStates
from camfleet_capture.cameras_follower import CamerasFollower
from camfleet_capture.recording.http_api import RecordingApi
from camfleet_capture.recording.recorders import Recorders
from camfleet_capture.snapshot import encode_snapshot


@dataclass(frozen=True, slots=True)
class CaptureApi:
    """Answers from what the cameras are doing right now."""

    cameras: CameraSet
    states: CameraStates
    recorders: Recorders
    follower: CamerasFollower

    def app(self) -> Starlette:
        """Return the application with all its routes."""
        routes = [
            Route("/cameras", self._list),
            Route("/cameras/{name}", self._show),
            Route("/cameras/{name}/snapshot.jpg", self._snapshot),
            Route("/cameras/{name}/clip", self._clip),
            Route("/cameras/{name}/truth", self._truth),
            Route("/healthz", _alive),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _error})

    async def _list(self, request: Request) -> Response:
        states = [self._state(self._get(name), request) for name in self.cameras.names]
        return JSONResponse({"cameras": states, "config_fault": self.follower.fault})

    async def _show(self, request: Request) -> Response:
        return JSONResponse(self._state(self._get(request.path_params["name"]), request))

    async def _clip(self, request: Request) -> Response:
        self._get(request.path_params["name"])
        return await RecordingApi(self.recorders).clip(request)

    async def _snapshot(self, request: Request) -> Response:
        camera = self._get(request.path_params["name"])
        if "at" in request.query_params:
            return await RecordingApi(self.recorders).picture(request)
        key = camera.stream.latest_key
        if key is None:
            raise HTTPException(503, f"camera {camera.stream.name}: {_reason(camera)}")
        try:
            jpeg = await asyncio.to_thread(encode_snapshot, key)
        except ValueError as error:
            raise HTTPException(503, f"camera {camera.stream.name}: {error}") from error
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def _truth(self, request: Request) -> Response:
        camera = self._get(request.path_params["name"])
        truth = await asyncio.to_thread(camera.truth)
        if truth is None:
            raise HTTPException(
                404, f"camera {camera.stream.name}: only live demo scenes know the truth"
            )
        return JSONResponse(truth)

    async def _ready(self, _request: Request) -> Response:
        if self.follower.fault and not self.cameras.names:
            return PlainTextResponse(f"not ready: {self.follower.fault}\n", 503)
        return PlainTextResponse("ready\n")

    async def _metrics(self, _request: Request) -> Response:
        from camfleet_capture.metrics import CameraMetrics  # noqa: PLC0415 - heavy; few are asked

        text = CameraMetrics(self.cameras, self.recorders).render()
        return Response(text, media_type="text/plain; version=0.0.4")

    def _get(self, name: str) -> Camera:
        camera = self.cameras.get(name)
        if camera is None:
            raise HTTPException(404, f"no camera {name!r} in cameras.yaml")
        return camera

    def _state(self, camera: Camera, request: Request) -> dict[str, Any]:
        return self.states.describe(camera, request.url.hostname or "127.0.0.1")


def _reason(camera: Camera) -> str:
    return camera.condition.reason or "no picture yet; try again"


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("alive\n")


async def _error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, error.status_code)
