"""Follows cameras.yaml while the service runs."""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.cameras_watch import SETTLE_S, CamerasWatch
from camfleet_contracts.folder_watch import FolderWatch
from camfleet_contracts.logs import get_logger
from camfleet_contracts.redaction import redact
from camfleet_contracts.settings import FleetSettings

POLL_S = 1.0

logger = get_logger(__name__)


class CamerasFollower:
    """Hands the cameras on whenever the file changed; a bad one leaves all as it is.

    Where `apply` fails unforeseen, it is asked again, at growing intervals.
    """

    def __init__(
        self, path: Path, settings: FleetSettings, apply: Callable[[CamerasFile], None]
    ) -> None:
        self._path, self._apply = path, apply
        self._watch = CamerasWatch(path, settings)
        self._changed = asyncio.Event()

    @property
    def fault(self) -> str | None:
        """Why the file as it is now is not followed: file, line, reason."""
        return self._watch.fault

    async def follow(self) -> None:
        """Read the file now and after every change, until cancelled."""
        loop = asyncio.get_running_loop()
        watch = FolderWatch(lambda: self._wake(loop), name="cameras-watcher", is_recursive=False)
        watch.start()
        try:
            while True:
                self._changed.clear()
                watch.follow([self._path.parent])
                self._try_to_read()
                await self._pause()
        finally:
            watch.stop()

    def read_if_changed(self) -> None:
        """Read and apply the file unless it is the one read last."""
        fault_before = self.fault
        cameras = self._watch.look()
        if cameras is not None:
            self._apply(cameras)
            self._watch.followed()
        if self.fault and self.fault != fault_before:
            logger.error("cameras file not used", reason=self.fault)
        if cameras is not None and fault_before:
            logger.info("cameras file is good again", file=str(self._path))

    def _try_to_read(self) -> None:
        fault_before = self.fault
        try:
            self.read_if_changed()
        except Exception as error:  # noqa: BLE001 - the task's border: it must follow on
            self._watch.put_off(redact(f"{type(error).__name__}: {error}"))
            if self.fault != fault_before:
                trace = redact(traceback.format_exc())
                logger.error(  # noqa: TRY400 - with its traceback, redacted
                    "cameras file not followed", reason=self.fault, traceback=trace
                )

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._changed.set)

    async def _pause(self) -> None:
        if self._watch.is_settling:
            await asyncio.sleep(SETTLE_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._changed.wait()
