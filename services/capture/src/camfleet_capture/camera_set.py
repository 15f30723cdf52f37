"""All cameras of the service: follows cameras.yaml, changing only what changed."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from camfleet_capture.camera import Camera
from camfleet_capture.errors import SourceMissing
from camfleet_capture.sources.base import Source
from camfleet_capture.sources.table import SourceAddress, open_source
from camfleet_capture.stream import Stream
from camfleet_contracts.cameras import Camera as CameraEntry
from camfleet_contracts.cameras import CamerasFile, Transcode, resolve_credentials

SUB_STREAM_SUFFIX = "-sub"

logger = structlog.get_logger(__name__)


class CameraSet:
    """Runs one `Camera` per entry, and one more per `detect_source`. Belongs to the event loop.

    Args:
        folder: where relative paths of sources begin.
        environment: where `${env:NAME}` of credentials is looked up.
        on_removed: told of every stream that ends because its camera went or changed, or must
            be asked for anew because it is to be transcoded in another way.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        on_removed: Callable[[Stream], None] = lambda _stream: None,
    ) -> None:
        self._folder, self._environment = folder, dict(environment)
        self.on_removed = on_removed
        self._cameras: dict[str, Camera] = {}
        self._transcode: dict[str, Transcode] = {}
        self.names: tuple[str, ...] = ()  # the entries of cameras.yaml, in its order

    def apply(self, wanted: CamerasFile) -> None:
        """Start, stop and restart cameras until they are those of `wanted`."""
        enabled = [camera for camera in wanted.cameras if camera.enabled]
        addresses: dict[str, SourceAddress] = {}
        for camera in enabled:
            if camera.detect_source:
                addresses[camera.name + SUB_STREAM_SUFFIX] = SourceAddress(
                    camera.detect_source, self._folder, camera.credentials
                )
        for camera in enabled:
            addresses[camera.name] = SourceAddress(camera.source, self._folder, camera.credentials)
        for name in [*self._cameras]:
            if name not in addresses:
                self._remove(name)
        for name, address in addresses.items():
            self._set(name, address)
        self._set_transcode(enabled)
        self.names = tuple(camera.name for camera in enabled)

    def stop(self) -> None:
        """Stop every camera, waiting a second for all of them."""
        for camera in self._cameras.values():
            camera.stop()
        for camera in self._cameras.values():
            camera.stop(1.0 / len(self._cameras))

    def get(self, name: str) -> Camera | None:
        """Return a camera (or the sub-stream of one) by its name."""
        return self._cameras.get(name)

    def all(self) -> list[Camera]:
        """Return every camera, sub-streams too."""
        return list(self._cameras.values())

    def transcode_of(self, name: str) -> Transcode:
        """Return what cameras.yaml says of transcoding this camera, or the sub-stream of one."""
        return self._transcode.get(name, "auto")

    def describe(self) -> list[dict[str, Any]]:
        """Return the state of the cameras of cameras.yaml, in its order."""
        return [self._cameras[name].describe() for name in self.names]

    def _set(self, name: str, address: SourceAddress) -> None:
        current = self._cameras.get(name)
        if current and current.address == address:
            return
        if current:
            self._remove(name)
        stream = Stream(name, asyncio.get_running_loop())
        camera = self._cameras[name] = Camera(address, stream, self._open)
        logger.info("camera added", camera=name, source=str(address), kind=address.kind)
        camera.start()

    def _set_transcode(self, enabled: list[CameraEntry]) -> None:
        before, self._transcode = self._transcode, {}
        for entry in enabled:
            for name in (entry.name, entry.name + SUB_STREAM_SUFFIX):
                self._transcode[name] = entry.transcode
        for name, camera in self._cameras.items():
            if before.get(name, self.transcode_of(name)) != self.transcode_of(name):
                self.on_removed(camera.stream)

    def _remove(self, name: str) -> None:
        camera = self._cameras.pop(name)
        camera.stop()
        self.on_removed(camera.stream)
        logger.info("camera removed", camera=name)

    def _open(self, address: SourceAddress) -> Source:
        try:
            credentials = resolve_credentials(address.credentials, self._environment)
        except ValueError as error:
            raise SourceMissing(str(error)) from error
        return open_source(address, credentials)
