"""The running service: both servers, the cameras and the file they follow."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from camfleet_capture.camera_set import CameraSet
from camfleet_capture.camera_states import CameraStates
from camfleet_capture.cameras_follower import CamerasFollower
from camfleet_capture.http_api import CaptureApi
from camfleet_capture.http_server import HttpServer
from camfleet_capture.listener import listen_on
from camfleet_capture.pictures.watch import PictureWatch
from camfleet_capture.plugged_in import PluggedIn, follow_devices
from camfleet_capture.publish.publishers import Publishers
from camfleet_capture.recording.recorders import Recorders
from camfleet_capture.rtsp.auth import Authenticator
from camfleet_capture.rtsp.server import RtspServer
from camfleet_capture.sources.v4l2.nodes import Devices
from camfleet_capture.stream_directory import StreamDirectory
from camfleet_contracts.access import (
    KeyMiddleware,
    Network,
    check_exposure,
    check_key,
    is_allowed,
    is_loopback,
)
from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.logs import get_logger
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.tls import server_context

logger = get_logger(__name__)

_END_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """What the command line and the environment decide; port 0 is the system's choice."""

    settings: FleetSettings
    cameras_file: Path
    bind: str
    rtsp_port: int
    http_port: int
    environment: Mapping[str, str]
    devices: Devices = field(default_factory=Devices)


async def run_service(options: CaptureOptions) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        PortTaken: a port cannot be had.
        RefusedToListen: the address is not protected as it must be.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with serve(options) as (rtsp_port, http_port):
        logger.info(
            "listening rtsp=%s:%s http=%s:%s",
            options.bind,
            rtsp_port,
            options.bind,
            http_port,
            cameras=str(options.cameras_file),
        )
        await stopped.wait()
    logger.info("stopped")


@asynccontextmanager
async def serve(options: CaptureOptions) -> AsyncIterator[tuple[int, int]]:
    """Run everything; yields the ports of RTSP and HTTP."""
    settings, is_local = options.settings, is_loopback(options.bind)
    networks = check_exposure(options.bind, settings)
    keys = KeyStore(settings.state_dir / "keys.json")
    guard = None if is_local else _guard(options, keys)
    tls = None if is_local else _tls_of(settings)
    rtsp_socket = listen_on(options.bind, options.rtsp_port, "RTSP", "--rtsp-port or RTSP_PORT")
    http_socket = listen_on(
        options.bind, options.http_port, "HTTP", "--http-port or CAPTURE_HTTP_PORT"
    )
    ports = rtsp_socket.getsockname()[1], http_socket.getsockname()[1]
    streaming = _Streaming(options, guard, networks)
    follower = CamerasFollower(options.cameras_file, settings, streaming.apply)
    states = streaming.states("rtsps" if tls else "rtsp", ports[0])
    api = CaptureApi(streaming.cameras, states, streaming.recorders, follower)
    app = KeyMiddleware(api.app(), keys, networks=networks, loopback_open=is_local)
    http = HttpServer(app, None if is_local else settings)
    await streaming.start(rtsp_socket, tls)
    following = follower.follow(), streaming.follow_devices(), streaming.recorders.follow()
    async with _running(http, http_socket, streaming, *following):
        yield ports


class _Streaming:
    """The cameras and all that carries their pictures away."""

    def __init__(
        self, options: CaptureOptions, guard: Authenticator | None, networks: tuple[Network, ...]
    ) -> None:
        self._plugged_in = PluggedIn(options.devices)
        self.cameras = CameraSet(options.cameras_file.parent, options.environment, self._plugged_in)
        self._pictures = PictureWatch(self.cameras.all)
        self._streams = StreamDirectory(self.cameras)
        self.rtsp = RtspServer(self._streams, guard, lambda peer: is_allowed(peer, networks))
        self.cameras.on_removed = self._streams.forget
        self._streams.on_removed = self.rtsp.forget
        self.recorders = Recorders(self.cameras, options.settings.recordings_dir)
        self.cameras.on_applied = self.recorders.apply
        self._publishers = Publishers(self.rtsp, options.environment, options.settings.tls_ca)

    def apply(self, wanted: CamerasFile) -> None:
        """Do what cameras.yaml says, changing only what changed."""
        self.cameras.apply(wanted)
        self._publishers.apply(wanted)

    async def start(self, rtsp_socket: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Serve RTSP and look at the pictures."""
        await self.rtsp.start(rtsp_socket, tls)
        self._pictures.start()

    async def follow_devices(self) -> None:
        """Let `source: auto` follow what is plugged in, until cancelled."""
        await follow_devices(self._plugged_in, self.cameras.follows_devices, self.cameras.plug)

    def states(self, scheme: str, rtsp_port: int) -> CameraStates:
        """Return what tells HTTP of the cameras."""
        return CameraStates(
            self.cameras, self._streams, self._publishers, self.recorders, scheme, rtsp_port
        )

    async def close(self) -> None:
        """Take leave of everybody and stop the cameras; nobody waits for another's end."""
        await asyncio.gather(
            self._publishers.close(),
            self.recorders.close(),
            self.rtsp.stop(),
            self._streams.close(),
            asyncio.to_thread(self._pictures.stop),
            asyncio.to_thread(self.cameras.stop),
        )


@asynccontextmanager
async def _running(
    http: HttpServer,
    listener: socket.socket,
    streaming: _Streaming,
    *tasks: Coroutine[None, None, None],
) -> AsyncIterator[None]:
    serving = asyncio.create_task(http.serve(sockets=[listener]), name="http")
    following = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        http.end()
        for task in following:
            task.cancel()
        await asyncio.gather(
            asyncio.wait((serving, *following), timeout=_END_LIMIT_S), streaming.close()
        )


def _guard(options: CaptureOptions, keys: KeyStore) -> Authenticator:
    settings = options.settings
    keys.ensure(settings.api_key, settings.service_key)
    if not _tls_of(settings):
        logger.warning(
            "clear text beyond this machine", bind=options.bind, allowed=settings.allow_cidr
        )

    async def is_key(presented: str, peer: str) -> bool:
        return await check_key(keys, presented, peer) is not None

    return Authenticator(keys.fleet_secret(), is_key)


def _tls_of(settings: FleetSettings) -> ssl.SSLContext | None:
    if not (settings.tls_cert and settings.tls_key):
        return None
    return server_context(settings.tls_cert, settings.tls_key)
