"""All cameras with `publish_to`, following cameras.yaml."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from camfleet_capture.publish.publisher import Publisher, Streams, Target
from camfleet_contracts.cameras import CamerasFile, split_publish_to
from camfleet_contracts.secret_references import resolve_credentials


class Publishers:
    """Runs one `Publisher` per camera that asks for it; a change touches that camera alone.

    Args:
        authorities: file with certificates that vouch for rtsps servers; None: the system's.
    """

    def __init__(
        self, streams: Streams, environment: Mapping[str, str], authorities: Path | None
    ) -> None:
        self._streams, self._environment = streams, dict(environment)
        self._authorities = authorities
        self._running: dict[str, tuple[str, Publisher]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def apply(self, wanted: CamerasFile) -> None:
        """Start and stop until exactly the cameras with `publish_to` are published."""
        addresses = {
            camera.name: camera.publish_to
            for camera in wanted.cameras
            if camera.enabled and camera.publish_to
        }
        for name, (address, publisher) in [*self._running.items()]:
            if addresses.get(name) != address:
                del self._running[name]
                closing = asyncio.create_task(publisher.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
        for name, address in addresses.items():
            if name not in self._running:
                self._running[name] = address, Publisher(self._target(name, address), self._streams)

    def describe(self, camera: str) -> dict[str, Any] | None:
        """Return where a camera's stream goes and how that is doing; None: nowhere."""
        if camera not in self._running:
            return None
        address, publisher = self._running[camera]
        url, _ = split_publish_to(address)
        return {"to": url, "state": publisher.state, "reason": publisher.reason}

    async def close(self) -> None:
        """Stop publishing."""
        publishers = [publisher for _, publisher in self._running.values()]
        self._running = {}
        await asyncio.gather(*(publisher.close() for publisher in publishers), *self._closing)

    def _target(self, camera: str, address: str) -> Target:
        url, reference = split_publish_to(address)
        credentials = partial(resolve_credentials, reference, self._environment)
        return Target(camera, url, credentials, self._authorities)
