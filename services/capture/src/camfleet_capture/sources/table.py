"""From the text of cameras.yaml to an opened source."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from camfleet_capture.errors import SourceMissing
from camfleet_capture.redaction import redact
from camfleet_capture.sources.base import Source
from camfleet_capture.sources.image_folder import ImageFolder
from camfleet_capture.sources.live import Credentials, open_device, open_network
from camfleet_capture.sources.video_file import VideoFile
from camfleet_contracts.cameras import SourceKind, source_kind

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
        """Return the explicit kind, from the text alone."""
        kind = source_kind(self.source)
        return "folder" if kind == "file" and self.path.is_dir() else kind

    @property
    def path(self) -> Path:
        """Return the file or folder; beside cameras.yaml, or in the working directory."""
        beside = self.folder / self.source
        return beside if beside.exists() else Path(self.source)

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


def _open_auto(_address: SourceAddress, _credentials: Credentials) -> Source:
    devices = [path for path in _DEVICES.glob("video*") if path.name[5:].isdecimal()]
    if not devices:
        raise SourceMissing(f"source auto: no camera found at {_DEVICES}/video*; plug one in")
    return open_device(str(min(devices, key=lambda path: int(path.name[5:]))))


def _open_demo(address: SourceAddress, _credentials: Credentials) -> Source:
    from camfleet_capture.sources.demo_scene import DemoScene  # noqa: PLC0415 - heavy, rarely used

    return DemoScene(address.source)


_OPENERS: dict[SourceKind, Callable[[SourceAddress, Credentials], Source]] = {
    "file": lambda address, _: VideoFile(address.path),
    "folder": lambda address, _: ImageFolder(address.path),
    "rtsp": lambda address, credentials: open_network(address.source, credentials),
    "http": lambda address, credentials: open_network(address.source, credentials),
    "v4l2": lambda address, _: open_device(address.source),
    "auto": _open_auto,
    "demo": _open_demo,
}
