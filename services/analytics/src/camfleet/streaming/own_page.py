"""A page of a script's own, where no fleet's page is up: panels and a stop button, at port 5000."""

import asyncio
import socket
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from camfleet.errors import CannotShow
from camfleet.web.connections import GuardedHttp
from camfleet.web.login import log_in
from camfleet.web.page import COMPRESSED, page_files, show_html
from camfleet.web.panels import PanelBoard, panel_routes
from camfleet_contracts.access import (
    HEALTH_PATHS,
    KeyMiddleware,
    RefusedToListen,
    check_exposure,
    is_loopback,
    speaks_tls,
)
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.tls import context_factory

_END_LIMIT_S = 5.0


class OwnPage:
    """Serves from a thread until it is closed; on loopback it asks for no key."""

    def __init__(self, settings: FleetSettings) -> None:
        """Bind BIND_ADDRESS:STREAMER_PORT and serve.

        Raises:
            CannotShow: the port is taken, or the address is not protected as it must be.
        """
        self._socket = _bind(settings)
        is_encrypted = speaks_tls(settings.bind_address, settings)
        config = uvicorn.Config(
            _application(settings),
            log_config=None,
            access_log=False,
            server_header=False,
            http=GuardedHttp,
            timeout_graceful_shutdown=1,
            ws_per_message_deflate=False,
            ssl_context_factory=context_factory(settings.tls_cert, settings.tls_key)
            if is_encrypted
            else None,
        )
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="streamer-page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it and give the port back."""
        self._server.should_exit = True
        self._thread.join(_END_LIMIT_S)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _bind(settings: FleetSettings) -> socket.socket:
    address, port = settings.bind_address, settings.streamer_port
    try:
        check_exposure(address, settings)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, port), family=family)
    except RefusedToListen as error:
        raise CannotShow(str(error)) from error
    except OSError as error:
        raise CannotShow(
            f"port {port} at {address} cannot be had ({error.strerror}); set STREAMER_PORT to "
            "a free one"
        ) from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _application(settings: FleetSettings) -> KeyMiddleware:
    keys = KeyStore(Path(settings.state_dir) / "keys.json")
    is_open = is_loopback(settings.bind_address)
    if not is_open:
        keys.ensure(settings.api_key)

    async def page(request: Request) -> Response:
        is_known = is_open or request.scope.get("camfleet_key") is not None
        return show_html("panel.html") if is_known else show_html("login.html", 401)

    async def login(request: Request) -> Response:
        if request.method == "GET" and "token" not in request.query_params:
            return show_html("login.html")
        return await log_in(request, keys)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes: list[BaseRoute] = [
        Route("/", page),
        Route("/login", login, methods=["GET", "POST"]),
        Route("/healthz", healthy),
        Route("/readyz", healthy),
        Mount("/static", page_files()),
        *panel_routes(PanelBoard()),
    ]
    return KeyMiddleware(
        Starlette(routes=routes, middleware=[COMPRESSED]),
        keys,
        open_paths=HEALTH_PATHS | {"/", "/login"},
        open_prefixes=("/static/",),
        networks=check_exposure(settings.bind_address, settings),
        loopback_open=is_open,
    )
