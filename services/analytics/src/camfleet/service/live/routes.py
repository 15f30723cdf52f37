"""Live video: fragments over a WebSocket; Motion JPEG over another one, or as a multipart answer.

A browser opens at most six connections for HTTP to one address, but many WebSockets: the page
takes its pictures over these, so that they never keep it from asking for anything else.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from camfleet.service.live.camera import LiveCamera
from camfleet.service.live.muxer import Fragment, StreamHeader
from camfleet.service.live.pictures import PictureWatcher
from camfleet.service.live.viewer import Message, Viewer
from camfleet.web.sockets import ABSENT, ENDED, FOREIGN_PAGE, comes_from_here, refuse
from camfleet_contracts.key_watch import Holds, wait_until_lost

FindCamera = Callable[[str], LiveCamera | None]
Serve = Callable[[WebSocket, LiveCamera], Awaitable[None]]
_BOUNDARY = "camfleet-picture"
_ENDED_REASON = "the camera was removed, or the service ends"


def live_routes(find_camera: FindCamera) -> list[BaseRoute]:
    """The routes under /live."""

    async def watch_stream(socket: WebSocket) -> None:
        await _admit(socket, find_camera(socket.path_params["camera"]), _serve_stream)

    async def watch_pictures(socket: WebSocket) -> None:
        await _admit(socket, find_camera(socket.path_params["camera"]), _serve_pictures)

    async def answer_pictures(request: Request) -> Response:
        name = request.path_params["camera"]
        return _answer_pictures(name, find_camera(name), request.scope.get("camfleet_key_holds"))

    return [
        Route("/live/{camera}.mjpg", answer_pictures),
        WebSocketRoute("/live/{camera}.mjpg", watch_pictures),
        WebSocketRoute("/live/{camera}", watch_stream),
    ]


async def _admit(socket: WebSocket, camera: LiveCamera | None, serve: Serve) -> None:
    if not comes_from_here(socket):
        await refuse(socket, FOREIGN_PAGE, "this page is not ours")
        return
    if camera is None:
        await refuse(socket, ABSENT, "no camera of this name runs")
        return
    await socket.accept()
    await serve(socket, camera)


def _answer_pictures(name: str, camera: LiveCamera | None, holds: Holds | None) -> Response:
    if camera is None:
        reason = f"no camera '{name}' runs; see /v1/cameras for those that do"
        return JSONResponse({"error": reason}, status_code=404)
    return StreamingResponse(
        _multipart(camera, holds),
        media_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
        headers={"Cache-Control": "no-store"},
    )


async def _serve_stream(socket: WebSocket, camera: LiveCamera) -> None:
    viewer = camera.watch(asyncio.get_running_loop())
    try:
        await _until_left(socket, _send_all(socket, viewer, camera))
    finally:
        camera.unwatch(viewer)


async def _serve_pictures(socket: WebSocket, camera: LiveCamera) -> None:
    watcher = camera.pictures.watch(asyncio.get_running_loop())
    try:
        await _until_left(socket, _send_pictures(socket, watcher))
    finally:
        camera.pictures.unwatch(watcher)


async def _until_left(socket: WebSocket, sends: Coroutine[None, None, None]) -> None:
    """Send until there is no more, or the viewer leaves."""
    sending, leaving = asyncio.create_task(sends), asyncio.create_task(_wait_until_left(socket))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        leaving.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send_all(socket: WebSocket, viewer: Viewer, camera: LiveCamera) -> None:
    header: StreamHeader | None = None
    while (message := await viewer.take()) is not None:
        header = await _send(socket, message, header, camera.note)
    await socket.close(ENDED, _ENDED_REASON)


async def _send_pictures(socket: WebSocket, watcher: PictureWatcher) -> None:
    while (jpeg := await watcher.take()) is not None:
        await socket.send_bytes(jpeg)
    await socket.close(ENDED, _ENDED_REASON)


async def _send(
    socket: WebSocket, message: Message, header: StreamHeader | None, note: str | None
) -> StreamHeader | None:
    """Send one message, before it the header when it is a new one; the header now in force."""
    if not isinstance(message, Fragment):
        await socket.send_text(json.dumps({"fallback": "mjpeg", "reason": message.reason}))
        return None
    if message.header is not header:
        await socket.send_text(_describe(message, note))
        await socket.send_bytes(message.header.init)
    await socket.send_bytes(message.payload)
    return message.header


def _describe(first: Fragment, note: str | None) -> str:
    header = first.header
    return json.dumps(
        {
            "codec": header.codec,
            "width": header.width,
            "height": header.height,
            "fps": round(header.fps, 3),
            "t0": header.t0,
            "start_s": first.start_s,
            "note": note,
        }
    )


async def _wait_until_left(socket: WebSocket) -> None:
    """Read what the viewer sends, which is nothing, until it leaves."""
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, RuntimeError, KeyError):
        return


async def _multipart(camera: LiveCamera, holds: Holds | None) -> AsyncIterator[bytes]:
    watcher = camera.pictures.watch(asyncio.get_running_loop())
    watching = asyncio.create_task(_end_with_key(watcher, holds)) if holds else None
    try:
        while (jpeg := await watcher.take()) is not None:
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            )
            yield head.encode() + jpeg + b"\r\n"
    finally:
        if watching is not None:
            watching.cancel()
        camera.pictures.unwatch(watcher)


async def _end_with_key(watcher: PictureWatcher, holds: Holds) -> None:
    await wait_until_lost(holds)
    watcher.show(None)
