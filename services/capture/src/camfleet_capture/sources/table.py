"""From the text of cameras.yaml to an opened source."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from camfleet_capture.errors import SourceMissing
from camfleet_capture.sources.base import Source
from camfleet_capture.sources.image_folder import ImageFolder
from camfleet_capture.sources.live import Credentials, open_device, open_network
from camfleet_capture.sources.video_file import VideoFile
from camfleet_contracts.cameras import SourceKind, source_kind
from camfleet_contracts.redaction import redact

_DEVICES = Path("/dev")


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """What is needed to open a source, complete and comparable.

    Attributes:
        source: the text of cameras.yaml; `folder` is where relative paths begin.
        credentials: the reference of cameras.yaml, never the password.
    """

    source: str
    folder: Path
    credentials: str | None = None

    @property
    def kind(self) -> SourceKind:
        """Return the explicit kind; a path that cannot be looked at is a file."""
        kind = source_kind(self.source)
        return "folder" if kind == "file" and _is_folder(self.path) else kind

    @property
    def path(self) -> Path:
        """Return the file or folder; beside cameras.yaml, or in the working directory."""
        beside = self.folder / self.source
        return Path(self.source) if _is_absent(beside) else beside

    def __str__(self) -> str:
        """Return the source without passwords."""
        return redact(self.source)


def open_source(address: SourceAddress, credentials: Credentials = None) -> Source:
    """Open a source by its kind and no other way.

    Raises:
        SourceFault: it is not there, does not answer, or is not video.
    """
    opener = _OPENERS.get(address.kind)
    if opener is None:
        raise SourceMissing(f"source {address.kind}: this version cannot open it yet")
    return opener(address, credentials)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # not to be looked at: opening it says why
        return False


def _is_absent(path: Path) -> bool:
    try:
        return not path.exists()
    except OSError:  # the same
        return False


def _open_file(address: SourceAddress, _credentials: Credentials) -> Source:
    path = address.path
    try:
        with suppress(FileNotFoundError, PermissionError):  # VideoFile says these in its own words
            path.stat()
    except OSError as error:
        raise SourceMissing(f"file {path.name}: {error.strerror}; check the path") from error
    return VideoFile(path)


def _open_folder(address: SourceAddress, _credentials: Credentials) -> Source:
    path = address.path
    try:
        return ImageFolder(path)
    except OSError as error:
        raise SourceMissing(f"folder {path.name}: {error.strerror}; check the path") from error


def _open_auto(_address: SourceAddress, _credentials: Credentials) -> Source:
    devices = [path for path in _DEVICES.glob("video*") if path.name[5:].isdecimal()]
    if not devices:
        raise SourceMissing(f"source auto: no camera found at {_DEVICES}/video*; plug one in")
    return open_device(str(min(devices, key=lambda path: int(path.name[5:]))))


def _open_demo(address: SourceAddress, _credentials: Credentials) -> Source:
    from camfleet_capture.sources.demo_scene import DemoScene  # noqa: PLC0415 - heavy, rarely used

    return DemoScene(address.source)


_OPENERS: dict[SourceKind, Callable[[SourceAddress, Credentials], Source]] = {
    "file": _open_file,
    "folder": _open_folder,
    "rtsp": lambda address, credentials: open_network(address.source, credentials),
    "http": lambda address, credentials: open_network(address.source, credentials),
    "v4l2": lambda address, _: open_device(address.source),
    "auto": _open_auto,
    "demo": _open_demo,
}
