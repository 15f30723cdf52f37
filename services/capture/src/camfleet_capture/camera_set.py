"""All cameras of the service: follows cameras.yaml, changing only what changed."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from camfleet_capture.addresses import addresses_of
from camfleet_capture.camera import Camera
from camfleet_capture.errors import SourceMissing
from camfleet_capture.plugged_in import PluggedIn
from camfleet_capture.sources.base import Source
from camfleet_capture.sources.table import SourceAddress, open_source
from camfleet_capture.stream import Stream
from camfleet_contracts.cameras import SUB_STREAM_SUFFIX, CamerasFile, Transcode
from camfleet_contracts.cameras import Camera as CameraEntry
from camfleet_contracts.capturing import Recording
from camfleet_contracts.logs import get_logger
from camfleet_contracts.secret_references import resolve_credentials

logger = get_logger(__name__)


class CameraSet:
    """Runs one `Camera` per entry, and one more per `detect_source`. Belongs to the event loop.

    Args:
        folder: where relative paths of sources begin.
        environment: where `${env:NAME}` of credentials is looked up.
        plugged_in: the devices that `auto` stands for.
        on_removed: told of every stream that ends because its camera went or changed, or must
            be asked for anew because it is to be transcoded in another way.

    Attributes:
        on_applied: called whenever the cameras have become those of cameras.yaml.
        follows_devices: set while an entry stands for all devices there are.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        plugged_in: PluggedIn,
        on_removed: Callable[[Stream], None] = lambda _stream: None,
    ) -> None:
        self._folder, self._environment = folder, dict(environment)
        self.on_removed = on_removed
        self.on_applied: Callable[[], None] = _nothing
        self.follows_devices = asyncio.Event()
        self._cameras: dict[str, Camera] = {}
        self._transcode: dict[str, Transcode] = {}
        self._wanted, self._plugged_in = CamerasFile(), plugged_in
        self._entries: dict[str, CameraEntry] = {}  # of cameras.yaml, by the names of cameras
        self.names: tuple[str, ...] = ()  # in the order of cameras.yaml

    def apply(self, wanted: CamerasFile) -> None:
        """Start, stop and restart cameras until they are those of `wanted`."""
        addresses = addresses_of(wanted, self._folder, self._plugged_in)
        for name in [*self._cameras]:
            if name not in addresses.sources:
                self._remove(name)
        for name, address in addresses.sources.items():
            self._set(name, address)
        self._wanted, self._entries = wanted, addresses.entries
        self._set_transcode()
        self.names = tuple(addresses.entries)
        if any(camera.source == "auto" and camera.enabled for camera in wanted.cameras):
            self.follows_devices.set()
        else:
            self.follows_devices.clear()
        self.on_applied()

    def plug(self) -> None:
        """Know that devices came or went."""
        self.apply(self._wanted)

    def entry_of(self, name: str) -> str:
        """Return the entry of cameras.yaml that a camera comes from."""
        return self._entries[name].name if name in self._entries else name

    def stop(self) -> None:
        """Stop every camera, waiting a second for all of them."""
        for camera in self._cameras.values():
            camera.stop()
        for camera in self._cameras.values():
            camera.stop(1.0 / len(self._cameras))

    def get(self, name: str) -> Camera | None:
        """Return a camera (or the sub-stream of one) by its name; of `auto`, the first one."""
        if camera := self._cameras.get(name):
            return camera
        own = [self._cameras[each] for each in self.names if self.entry_of(each) == name]
        return next((camera for camera in own if camera.is_live), own[0] if own else None)

    def all(self) -> list[Camera]:
        """Return every camera, sub-streams too."""
        return list(self._cameras.values())

    def transcode_of(self, name: str) -> Transcode:
        """Return what cameras.yaml says of transcoding this camera, or the sub-stream of one."""
        return self._transcode.get(name, "auto")

    def recording_of(self, name: str) -> Recording | None:
        """Return how much of this camera cameras.yaml wants kept; None: nothing."""
        entry = self._entries.get(name)
        return entry.recording if entry else None

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
        camera = Camera(address, stream, self._open)
        camera.start()
        self._cameras[name] = camera
        logger.info("camera added", camera=name, source=str(address), kind=address.kind)

    def _set_transcode(self) -> None:
        before, self._transcode = self._transcode, {}
        for name, entry in self._entries.items():
            self._transcode[name] = self._transcode[name + SUB_STREAM_SUFFIX] = entry.transcode
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
        return open_source(address, credentials, self._plugged_in.devices)


def _nothing() -> None:
    """Nobody wants to know."""
