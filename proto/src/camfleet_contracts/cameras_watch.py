"""cameras.yaml as it changes: what capture and analytics follow while they run."""

from pathlib import Path

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.settings import FleetSettings

SETTLE_S = 0.1  # editors empty a file before they write it

_Stamp = tuple[int, int, int] | None
_NEVER_READ: _Stamp = (-1, -1, -1)


class CamerasWatch:
    """Looks at the file when asked; a bad one is a fault and leaves all as it is.

    A file that changed is read once it looks the same twice. Not thread-safe.
    """

    def __init__(self, path: Path, settings: FleetSettings) -> None:
        self._path, self._settings = path, settings
        self._read = self._seen = _NEVER_READ
        self._has_content = False  # there are cameras or sinks, which an empty file would end
        self.fault: str | None = None  # file, line and reason of the file as it is now

    @property
    def is_settling(self) -> bool:
        """Whether to look again after `SETTLE_S`."""
        return self._seen != self._read

    def look(self) -> CamerasFile | None:
        """Return the cameras when the file changed and is good; None when there is nothing new."""
        stamp = _stamp_of(self._path)
        is_same_again = stamp == self._seen or self._read == _NEVER_READ
        self._seen = stamp
        if stamp == self._read or not is_same_again:
            return None
        self._read = stamp
        try:
            may_be_empty = not self._has_content
            cameras = read_cameras(self._path, self._settings, may_be_empty=may_be_empty)
        except BadCameras as error:
            hint = "the last good state stays" if stamp else "create it or fix the path"
            self.fault = f"{error}; {hint}"
            return None
        self.fault = None
        self._has_content = bool(cameras.cameras or cameras.sinks)
        return cameras


def _stamp_of(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
