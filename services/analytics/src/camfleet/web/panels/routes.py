"""Panels over HTTP: a script feeds one, browsers look at it and may stop the script.

`/v1/panels` (GET, or a WebSocket that says each change) lists names. On `/v1/panels/<name>` a
viewer receives texts `{"text": ...}` and JPEGs, and may send `{"stop": true}`. On
`/v1/panels/<name>/feed` a script sends the same texts and JPEGs and receives
`{"watched": ..., "arrived": ..., "stop": ...}` at every change (`arrived` counts viewers), so that
it encodes only what somebody sees.
"""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from camfleet.web.panels.board import Panel, PanelBoard, TooManyPanels, Viewer
from camfleet.web.sockets import ABSENT, ENDED, FOREIGN_PAGE, TOO_MANY, comes_from_here, refuse

LONGEST_TEXT = 20_000


def panel_routes(board: PanelBoard) -> list[BaseRoute]:
    """The routes under /v1/panels."""

    async def list_panels(_: Request) -> Response:
        return JSONResponse({"panels": board.names}, headers={"cache-control": "no-store"})

    async def follow_names(socket: WebSocket) -> None:
        if await _is_ours(socket):
            await socket.accept()
            await _until_either_ends(_send_names(socket, board), _wait_until_left(socket))

    async def watch(socket: WebSocket) -> None:
        if await _is_ours(socket):
            await _watch(socket, board.find(socket.path_params["name"]))

    async def feed(socket: WebSocket) -> None:
        if await _is_ours(socket):
            await _feed(socket, board)

    return [
        Route("/v1/panels", list_panels),
        WebSocketRoute("/v1/panels", follow_names),
        WebSocketRoute("/v1/panels/{name}", watch),
        WebSocketRoute("/v1/panels/{name}/feed", feed),
    ]


async def _is_ours(socket: WebSocket) -> bool:
    if comes_from_here(socket):
        return True
    await refuse(socket, FOREIGN_PAGE, "this page is not ours")
    return False


def _may_act(socket: WebSocket) -> bool:
    """Viewers look, and change nothing; no key means a port where none is asked for."""
    key = socket.scope.get("camfleet_key")
    return key is None or key.role != "viewer"


async def _send_names(socket: WebSocket, board: PanelBoard) -> None:
    changed = board.listen()
    try:
        while True:
            changed.clear()
            await socket.send_json({"panels": board.names})
            await changed.wait()
    finally:
        board.leave(changed)


async def _watch(socket: WebSocket, panel: Panel | None) -> None:
    if panel is None:
        await refuse(socket, ABSENT, "no script shows this")
        return
    await socket.accept()
    viewer = panel.watch()
    try:
        await _until_either_ends(
            _send_pictures(socket, panel, viewer), _receive_wishes(socket, panel)
        )
    finally:
        panel.unwatch(viewer)


async def _send_pictures(socket: WebSocket, panel: Panel, viewer: Viewer) -> None:
    while not panel.ended.is_set():
        await viewer.changed.wait()
        text, jpeg = viewer.take()
        if text is not None:
            await socket.send_json({"text": text})
        if jpeg is not None:
            await socket.send_bytes(jpeg)
    await socket.close(ENDED, "the script has ended")


async def _receive_wishes(socket: WebSocket, panel: Panel) -> None:
    while True:
        if _field(await socket.receive_text(), "stop") is True and _may_act(socket):
            panel.ask_to_stop()


async def _feed(socket: WebSocket, board: PanelBoard) -> None:
    if not _may_act(socket):
        await refuse(socket, FOREIGN_PAGE, "a viewer's key cannot show pictures; use another key")
        return
    try:
        panel = board.open(socket.path_params["name"])
    except TooManyPanels as error:
        await refuse(socket, TOO_MANY, str(error))
        return
    try:
        await socket.accept()
        await _until_either_ends(_send_wishes(socket, panel), _receive_pictures(socket, panel))
    finally:
        board.close(panel)


async def _send_wishes(socket: WebSocket, panel: Panel) -> None:
    while True:
        panel.changed.clear()
        wishes = {
            "watched": bool(panel.viewers),
            "arrived": panel.arrived,
            "stop": panel.is_to_stop,
        }
        await socket.send_json(wishes)
        await panel.changed.wait()


async def _receive_pictures(socket: WebSocket, panel: Panel) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if (jpeg := message.get("bytes")) is not None:
            panel.show(jpeg)
        elif isinstance(text := _field(message.get("text") or "", "text"), str):
            panel.tell(text[:LONGEST_TEXT])


async def _wait_until_left(socket: WebSocket) -> None:
    while True:
        await socket.receive_text()


async def _until_either_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run both until one ends, which is always also when the other side has left."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(
                asyncio.CancelledError, WebSocketDisconnect, RuntimeError, KeyError
            ):
                await task


def _field(text: str, name: str) -> object:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message.get(name) if isinstance(message, dict) else None
