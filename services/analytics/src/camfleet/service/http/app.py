"""The HTTP application of analytics: routes, and who may use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from camfleet.service.audit import AuditTrail
from camfleet.service.events.hub import StreamHub
from camfleet.service.fleet import PipelineFleet
from camfleet.service.http.advice import AdviceRoutes
from camfleet.service.http.camera_setup import CameraSetupRoutes
from camfleet.service.http.cameras import CameraRoutes
from camfleet.service.http.changes import Changes
from camfleet.service.http.incoming import IncomingEvents
from camfleet.service.http.insights import InsightRoutes
from camfleet.service.http.metrics import registry_of
from camfleet.service.http.models import ModelRoutes
from camfleet.service.http.past_events import EventRoutes
from camfleet.service.http.recordings import RecordingRoutes
from camfleet.service.http.stream import serve_stream
from camfleet.service.live_ports import LiveVideo
from camfleet.service.status import StatusBoard
from camfleet.web.login import log_in
from camfleet.web.page import COMPRESSED, page_files, show_html
from camfleet.web.panels import PanelBoard, panel_routes
from camfleet_contracts.access import HEALTH_PATHS, App, KeyMiddleware, Network
from camfleet_contracts.direct import capture_http_address
from camfleet_contracts.keys import Key, KeyStore
from camfleet_contracts.settings import FleetSettings

OPEN_PATHS = HEALTH_PATHS | {"/", "/login"}  # "/" shows the login to strangers


_FRESH = {"cache-control": "no-store"}
_UPGRADE = {"connection": "upgrade", "upgrade": "websocket"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes show and change."""

    hub: StreamHub
    fleet: PipelineFleet
    status: StatusBoard
    live: LiveVideo
    keys: KeyStore
    settings: FleetSettings
    audit: AuditTrail = field(default_factory=AuditTrail)


def create_app(parts: Parts, networks: tuple[Network, ...] = ()) -> App:
    """The guarded ASGI application."""
    capture = capture_http_address(parts.settings)
    recordings = RecordingRoutes(capture, parts.keys.fleet_secret())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        parts.hub.attach(asyncio.get_running_loop())
        yield
        await recordings.close()

    routes = [
        *_page(parts),
        *_health(parts),
        *_api(parts),
        *recordings.routes(),
        *parts.live.routes(),
        *panel_routes(PanelBoard()),
    ]
    app = Starlette(
        routes=routes,
        middleware=[COMPRESSED],
        lifespan=lifespan,
        exception_handlers={HTTPException: _tell_error},
    )
    return KeyMiddleware(
        app,
        parts.keys,
        open_paths=frozenset(OPEN_PATHS),
        open_prefixes=("/static/",),
        networks=networks,
    )


async def _tell_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    told = f"{error.detail}: {request.method} {request.url.path}"
    headers = error.headers
    if error.status_code == HTTPStatus.NOT_FOUND and _is_for_websockets(request):
        return JSONResponse({"error": f"{request.url.path} is a WebSocket"}, 426, _UPGRADE)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"allow": ", ".join(sorted(_methods_of(request)))}
    return JSONResponse({"error": told}, error.status_code, headers)


def _is_for_websockets(request: Request) -> bool:
    return any(
        isinstance(route, WebSocketRoute) and route.path_regex.match(request.url.path)
        for route in request.app.routes
    )


def _methods_of(request: Request) -> set[str]:
    """What the path takes: several routes may serve it, and the error knows the first only."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }


def _page(parts: Parts) -> list[BaseRoute]:
    async def index(request: Request) -> Response:
        is_known = request.scope.get("camfleet_key") is not None
        return show_html("index.html") if is_known else show_html("login.html", 401)

    async def login(request: Request) -> Response:
        if request.method == "GET" and "token" not in request.query_params:
            return show_html("login.html")
        return await log_in(request, parts.keys)

    async def logout(_: Request) -> Response:
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie("camfleet_session")
        return response

    return [
        Route("/", index),
        Route("/login", login, methods=["GET", "POST"]),
        Route("/logout", logout, methods=["POST"]),
        Mount("/static", page_files()),
    ]


def _health(parts: Parts) -> list[BaseRoute]:
    registry = registry_of(parts.fleet, parts.hub, parts.status.sinks)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        return PlainTextResponse("ready\n")  # it serves; a fault of cameras.yaml is in /v1/status

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _api(parts: Parts) -> list[BaseRoute]:
    async def status(_: Request) -> Response:
        return JSONResponse(parts.status.read(), headers=_FRESH)

    async def stream(websocket: WebSocket) -> None:
        await serve_stream(websocket, parts.hub)

    async def session(request: Request) -> Response:
        key: Key = request.scope["camfleet_key"]
        return JSONResponse({"name": key.name, "role": key.role}, headers=_FRESH)

    async def audit(_: Request) -> Response:
        return JSONResponse({"changes": parts.audit.facts()}, headers=_FRESH)

    changes, secret = Changes(parts.audit), parts.keys.fleet_secret()
    return [
        Route("/v1/status", status),
        Route("/v1/session", session),
        Route("/v1/audit", audit),
        *EventRoutes(parts.hub.journal).routes(),
        *IncomingEvents(parts.hub, parts.status.device_id).routes(),
        *ModelRoutes(parts.settings, secret, changes).routes(),
        *CameraSetupRoutes(parts.settings, parts.keys, parts.status, changes).routes(),
        *InsightRoutes(parts.fleet, parts.hub.journal).routes(),
        *CameraRoutes(parts.settings.state_dir, parts.status, changes).routes(),
        *AdviceRoutes(parts.settings, changes).routes(),
        WebSocketRoute("/v1/stream", stream),
    ]
