"""The cameras as cameras.yaml has them now; the pipelines follow it a moment later."""

import contextlib
import threading
from pathlib import Path

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.settings import FleetSettings

_Stamp = tuple[int, int, int] | None


class ConfiguredCameras:
    """Reads the file when it changed; a bad or empty one shows the last good state. Thread-safe."""

    def __init__(self, settings: FleetSettings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._stamp: _Stamp = None
        self._file = CamerasFile()

    def read(self) -> CamerasFile:
        """The file with all cameras, also those that are disabled. Waits for the disk."""
        path = self._settings.cameras_file
        with self._lock:
            stamp = _stamp_of(path)
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp
                with contextlib.suppress(BadCameras):  # the fleet's fault says it
                    self._file = read_cameras(path, self._settings)
            return self._file


def _stamp_of(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat.st_size else None
