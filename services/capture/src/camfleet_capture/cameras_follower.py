"""Follows cameras.yaml while the service runs."""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.cameras_watch import SETTLE_S, CamerasWatch
from camfleet_contracts.redaction import redact
from camfleet_contracts.settings import FleetSettings

POLL_S = 1.0

logger = structlog.get_logger(__name__)


class CamerasFollower:
    """Hands the cameras on whenever the file changed; a bad one leaves all as it is."""

    def __init__(
        self, path: Path, settings: FleetSettings, apply: Callable[[CamerasFile], None]
    ) -> None:
        self._path, self._apply = path, apply
        self._watch = CamerasWatch(path, settings)
        self._changed = asyncio.Event()

    @property
    def fault(self) -> str | None:
        """What is wrong with the file as it is now: file, line, reason."""
        return self._watch.fault

    async def follow(self) -> None:
        """Read the file now and after every change, until cancelled."""
        observer = _watch(self._path.parent, asyncio.get_running_loop(), self._changed)
        try:
            while True:
                self._changed.clear()
                self._try_to_read()
                await self._pause()
        finally:
            if observer:
                observer.stop()

    def read_if_changed(self) -> None:
        """Read and apply the file unless it is the one read last."""
        fault_before = self.fault
        cameras = self._watch.look()
        if self.fault and self.fault != fault_before:
            logger.error("cameras file not used", reason=self.fault)
        if cameras is None:
            return
        if fault_before:
            logger.info("cameras file is good again", file=str(self._path))
        self._apply(cameras)

    def _try_to_read(self) -> None:
        try:
            self.read_if_changed()
        except Exception:  # noqa: BLE001 - the task's border: it must follow the next edit too
            trace = redact(traceback.format_exc())
            logger.error(  # noqa: TRY400 - with its traceback, redacted
                "cameras file not followed", file=str(self._path), traceback=trace
            )

    async def _pause(self) -> None:
        if self._watch.is_settling:
            await asyncio.sleep(SETTLE_S)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), POLL_S)


class _Wake(FileSystemEventHandler):
    def __init__(self, loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
        self._loop, self._changed = loop, changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in {"opened", "closed_no_write"} and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)


def _watch(
    folder: Path, loop: asyncio.AbstractEventLoop, changed: asyncio.Event
) -> BaseObserver | None:
    observer = Observer()
    observer.daemon = True
    try:
        observer.schedule(_Wake(loop, changed), str(folder))
        observer.start()
    except OSError:  # no folder yet, or no inotify here: the poll follows alone
        return None
    return observer
