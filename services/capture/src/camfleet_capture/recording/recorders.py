"""All cameras with `recording`, following cameras.yaml and the streams as they come and go."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from camfleet_capture.camera_set import CameraSet
from camfleet_capture.recording.disk_work import DiskWork
from camfleet_capture.recording.recorder import Recorder
from camfleet_contracts.logs import get_logger

_PAUSE_S = 2.0
_END_LIMIT_S = 2.0

logger = get_logger(__name__)


class Recorders:
    """Runs one `Recorder` per camera that asks for it. Belongs to the event loop.

    Args:
        folder: of all recordings; each camera has one of its own in it.

    Attributes:
        disk_work: where requests read the recordings.
    """

    def __init__(self, cameras: CameraSet, folder: Path) -> None:
        self._cameras, self._folder = cameras, folder
        self._running: dict[str, Recorder] = {}
        self.disk_work = DiskWork()
        self._is_due = asyncio.Event()

    def apply(self) -> None:
        """Know that the cameras have changed."""
        self._is_due.set()

    async def follow(self) -> None:
        """Start and stop recorders as the cameras change, until cancelled."""
        while await self._is_due.wait():
            self._is_due.clear()
            try:
                await self._reconcile()
            except Exception:  # the task's border: the other cameras are to be recorded too
                logger.exception("recordings not followed, it is tried again")
                await asyncio.sleep(_PAUSE_S)
                self._is_due.set()

    def find(self, camera: str) -> Recorder | None:
        """Return the recorder of a camera."""
        return self._running.get(camera)

    def all(self) -> Iterable[Recorder]:
        """Return those that run."""
        return tuple(self._running.values())

    def describe(self, camera: str) -> dict[str, Any] | None:
        """Return how a camera's recording is doing; None: there is none."""
        recorder = self._running.get(camera)
        return recorder.describe() if recorder else None

    async def close(self) -> None:
        """Finish every file; a moment of the disk is waited for, for all together."""
        self.disk_work.end()
        running, self._running = self.all(), {}
        await _end(running)

    async def _reconcile(self) -> None:
        wanted = {}
        for name in self._cameras.names:
            camera, settings = self._cameras.get(name), self._cameras.recording_of(name)
            if camera and settings:
                wanted[name] = camera.stream, settings
        for name, recorder in [*self._running.items()]:
            if wanted.get(name) != (recorder.stream, recorder.settings):
                del self._running[name]
                await _end([recorder])
        for name, (stream, settings) in wanted.items():
            if name not in self._running:
                recorder = Recorder(stream, self._folder / name, settings)
                recorder.start()
                self._running[name] = recorder


async def _end(recorders: Iterable[Recorder]) -> None:
    for recorder in recorders:
        recorder.leave()
    await asyncio.to_thread(_wait_for, recorders)


def _wait_for(recorders: Iterable[Recorder]) -> None:
    latest = time.monotonic() + _END_LIMIT_S
    for recorder in recorders:
        recorder.wait(max(0.0, latest - time.monotonic()))
