"""cameras.yaml as it changes: what capture and analytics follow while they run."""

import time
from collections.abc import Callable
from pathlib import Path

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.settings import FleetSettings

SETTLE_S = 0.1  # editors empty a file before they write it
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0

_Stamp = tuple[int, int, int] | None
_NEVER_READ: _Stamp = (-1, -1, -1)


class CamerasWatch:
    """Looks at the file when asked; a bad one is a fault and leaves all as it is.

    A file that changed is read once it looks the same twice. What was read and could not be
    followed (`put_off`) is read again by itself, after 1 s and then at growing intervals up to
    30 s. Not thread-safe.
    """

    def __init__(
        self, path: Path, settings: FleetSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._settings, self._clock = path, settings, clock
        self._read = self._seen = _NEVER_READ
        self._has_content = False  # there are cameras or sinks, which an empty file would end
        self._bad: str | None = None  # what is wrong with the file
        self._trouble: str | None = None  # why it was not followed although it is good
        self._retry_at: float | None = None
        self._pause_s = _SHORTEST_PAUSE_S

    @property
    def fault(self) -> str | None:
        """Why the file as it is now is not followed: file, line and reason."""
        return self._bad or self._trouble

    @property
    def is_settling(self) -> bool:
        """Whether to look again after `SETTLE_S`."""
        return self._seen != self._read

    def look(self) -> CamerasFile | None:
        """Return the cameras when the file changed and is good; None when there is nothing new."""
        stamp = _stamp_of(self._path)
        is_due = self._retry_at is not None and self._clock() >= self._retry_at
        is_same_again = stamp == self._seen or self._read == _NEVER_READ
        self._seen = stamp
        if not is_same_again or (stamp == self._read and not is_due):
            return None
        self._read, self._retry_at = stamp, None
        try:
            may_be_empty = not self._has_content
            cameras = read_cameras(self._path, self._settings, may_be_empty=may_be_empty)
        except BadCameras as error:
            hint = "the last good state stays" if stamp else "create it or fix the path"
            self._bad = f"{error}; {hint}"
            return None
        self._bad = None
        self._has_content = bool(cameras.cameras or cameras.sinks)
        return cameras

    def followed(self) -> None:
        """Know that what was read is what runs now."""
        self._trouble, self._pause_s = None, _SHORTEST_PAUSE_S

    def put_off(self, reason: str) -> None:
        """Know that what was read could not be followed, though it is good."""
        self._trouble = f"{self._path}: not followed: {reason}; it is tried again by itself"
        self._retry_at = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def _stamp_of(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
