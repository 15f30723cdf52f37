"""The page's server with a scripted fleet behind it: real video, invented status and results."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from camfleet.heat import HeatMap
from camfleet.service.live import LiveHub
from camfleet.web.panels import PanelBoard, panel_routes
from camfleet_contracts.access import KeyMiddleware
from camfleet_contracts.clock import now_utc, rfc3339
from fakes_live import ClipPlan, demuxed, make_clip, make_frame, square_at
from waiting import wait_until

PAGE = files("camfleet") / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " media-src 'self' blob:; connect-src 'self' ws: wss:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


class PolicyHeader:
    """Sends the page's content security policy with every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", POLICY.encode()))
            await send(message)

        await self._app(scope, receive, send_with_policy)


def camera_status(name: str, **changes: Any) -> dict[str, Any]:
    """A camera as /v1/status describes a healthy one."""
    line = {"name": "gate", "from": [0, 0.6], "to": [1, 0.6], "in": 12, "out": 9}
    line |= {"total": {"in": 112, "out": 9}}
    return {
        "name": name,
        "state": "LIVE",
        "reason": None,
        "source_kind": "demo",
        "width": 320,
        "height": 180,
        "source_fps": 15.0,
        "fps": 5.0,
        "latency_ms": 41.0,
        "model": {"name": "demo-street", "version": "1", "state": "ok", "reason": None},
        "lines": [line | {"truth": {"in": 12, "out": 9}}],
        "zones": [],
    } | changes


@dataclass
class ScriptedFleet:
    """What the page is told; tests change it while the page looks."""

    cameras: list[dict[str, Any]] = field(default_factory=list)
    health: dict[str, Any] = field(default_factory=lambda: {"state": "ok", "reason": None})
    services: list[dict[str, Any]] = field(default_factory=list)
    hub: LiveHub = field(default_factory=LiveHub)
    version: str = "0.1.0"
    role: str = "admin"  # of who looks
    locked: bool = False  # the session ended
    stream_locked: bool = False
    clock_behind: timedelta = timedelta(0)
    asked_since: list[str | None] = field(default_factory=list)
    _listeners: set["asyncio.Queue[str]"] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None
    _seq: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def status(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "device_id": "box-1",
            "time": rfc3339(now_utc() - self.clock_behind),
            "cameras_file": "var/models/cameras.yaml",
            "health": self.health,
            "services": self.services,
            "cameras": self.cameras,
        }

    def send(self, envelope: dict[str, Any]) -> None:
        """To every open /v1/stream, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, json.dumps(envelope))

    def send_event(self, camera: str, results: dict[str, Any]) -> None:
        seq = next(self._seq)
        self.send(
            {
                "type": "OccurrenceEvent",
                "camera": camera,
                "event_id": f"event-{seq}",
                "seq": seq,
                "epoch": "e1",
                "timestamp": rfc3339(now_utc()),
                "captured_at": rfc3339(now_utc()),
                "results": results,
            }
        )

    def send_crossing(self, camera: str, label: str, track: int, counts: tuple[int, int]) -> None:
        numbers = {"count_in": counts[0], "count_out": counts[1], "count_error": 0}
        self.send_event(
            camera,
            {
                "event_label": "line_crossed",
                "object_label": label,
                "object_id": track,
                "zone_label": "gate",
                "data": {"line": "gate", "direction": "in", "track_id": track, **numbers},
            },
        )

    def app(self) -> Starlette:
        """The routes the page uses."""
        return Starlette(
            routes=[
                Route("/", self._serve_page),
                Route("/login", self._serve_login),
                Route("/v1/status", self._serve_status),
                Route("/v1/session", self._serve_session),
                Route("/v1/cameras/{name}/heatmap.png", self._serve_heat),
                WebSocketRoute("/v1/stream", self._serve_stream),
                *panel_routes(PanelBoard()),
                *self.hub.routes(),
                Mount("/static", StaticFiles(directory=str(PAGE))),
            ],
            middleware=[Middleware(PolicyHeader)],
        )

    async def _serve_page(self, _request: Request) -> Response:
        return FileResponse(str(PAGE / "index.html"))

    async def _serve_login(self, _request: Request) -> Response:
        return FileResponse(str(PAGE / "login.html"))

    async def _serve_status(self, _request: Request) -> Response:
        if self.locked:
            return JSONResponse({"error": "a key is needed"}, status_code=401)
        return JSONResponse(self.status())

    async def _serve_session(self, _request: Request) -> Response:
        return JSONResponse({"name": "ann", "role": self.role})

    async def _serve_heat(self, _request: Request) -> Response:
        return Response(HeatMap().to_png(), media_type="image/png")

    async def _serve_stream(self, socket: WebSocket) -> None:
        await socket.accept()
        if self.stream_locked:
            await socket.close(4401, "a key is needed")
            return
        self.asked_since.append(socket.query_params.get("since"))
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                await socket.send_text(await queue.get())
        except (WebSocketDisconnect, RuntimeError):
            self._listeners.discard(queue)

    def _put(self, text: str) -> None:
        for listener in self._listeners:
            listener.put_nowait(text)


def tracking_result(camera: str, number: int, pts_s: float, plan: ClipPlan) -> dict[str, Any]:
    """The square of frame `number`, found and tracked."""
    left, top, right, bottom = square_at(number, plan.size)
    box = {"start_x": left, "start_y": top, "end_x": right, "end_y": bottom}
    found = {"box": box, "confidence": 0.9, "label": "person", "index": 0}
    return {
        "type": "TrackingResults",
        "camera": camera,
        "event_id": f"{camera}-{pts_s}",
        "timestamp": rfc3339(now_utc()),
        "pts_s": pts_s,
        "width": plan.size[0],
        "height": plan.size[1],
        "results": {
            "objects": [{"id": 7, "ObjectDetectionPrediction": found}],
            "tracking_algorithm": "ByteTrack",
            "model_id": "demo-street",
        },
    }


class FilmedCamera:
    """Plays a clip in a loop into a live camera at its pace; a result for every third frame."""

    def __init__(self, fleet: ScriptedFleet, name: str, plan: ClipPlan | None = None) -> None:
        self._fleet, self._name = fleet, name
        self._plan = plan or ClipPlan(frames=60)
        self._clip = make_clip(self._plan)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"film {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(60)

    def _run(self) -> None:
        live = self._fleet.hub.camera(self._name)
        with demuxed(self._clip) as source:
            live.push_stream(source.stream)
            began_s = time.monotonic()
            first = source.packets[0].pts or 0
            shown = [(packet.pts or 0) - first for packet in source.packets]
            for number in itertools.count():
                if self._stopped.wait(
                    max(0.0, began_s + number / self._plan.fps - time.monotonic())
                ):
                    return
                loop, place = divmod(number, len(shown))
                packet = source.packets[place]
                assert packet.time_base is not None
                loop_ticks = round(loop * len(shown) / self._plan.fps / packet.time_base)
                packet.pts = first + shown[place] + loop_ticks
                live.push_packet(packet)
                self._tell(number, float(packet.pts * packet.time_base))

    def _tell(self, number: int, pts_s: float) -> None:
        if number % 3:
            return
        result = tracking_result(self._name, number, pts_s, self._plan)
        self._fleet.send(result)
        live = self._fleet.hub.camera(self._name)
        if live.wants_pictures:
            live.push_picture(make_frame(number, self._plan.size), result)


@contextmanager
def served(app: Starlette | KeyMiddleware, port: int = 0) -> Iterator[str]:
    """The address of the app, served on loopback from a thread."""
    config = uvicorn.Config(
        app,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="page server", daemon=True)
    thread.start()
    wait_until(lambda: server.started, 60, "the page's server to listen")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


@contextmanager
def running(start: list[FilmedCamera], end: Callable[[], None]) -> Iterator[None]:
    """The cameras play inside the block."""
    for camera in start:
        camera.start()
    try:
        yield
    finally:
        for camera in start:
            camera.stop()
        end()
