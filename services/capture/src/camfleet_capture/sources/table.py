"""From the text of cameras.yaml to an opened source."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from camfleet_capture.alteration import Alteration, alteration_of
from camfleet_capture.errors import SourceFault, SourceMissing
from camfleet_capture.sources.base import Source
from camfleet_capture.sources.image_folder import ImageFolder
from camfleet_capture.sources.live import open_network
from camfleet_capture.sources.tools.sensors import open_sensor
from camfleet_capture.sources.v4l2.nodes import Devices
from camfleet_capture.sources.v4l2.source import open_device, wish_of
from camfleet_capture.sources.video_file import VideoFile
from camfleet_contracts.cameras import SourceKind, source_kind
from camfleet_contracts.capturing import Capturing
from camfleet_contracts.redaction import redact
from camfleet_contracts.secret_references import Credentials


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """What is needed to open a source, complete and comparable.

    Attributes:
        source: the text of cameras.yaml; `folder` is where relative paths begin.
        credentials: the reference of cameras.yaml, never the password.
        capturing: how it is to be read.
        place: for one camera of `auto`: where it is plugged in.
    """

    source: str
    folder: Path
    credentials: str | None = None
    capturing: Capturing = field(default_factory=Capturing)
    place: str | None = None

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

    @property
    def alteration(self) -> Alteration:
        """Return what is done to its pictures."""
        return alteration_of(self.capturing)

    def __str__(self) -> str:
        """Return the source without passwords."""
        return redact(self.source) + (f" at {self.place}" if self.place else "")


def open_source(
    address: SourceAddress, credentials: Credentials | None = None, devices: Devices | None = None
) -> Source:
    """Open a source by its kind and no other way.

    Raises:
        SourceFault: it is not there, does not answer, or is not video.
    """
    opener = _OPENERS.get(address.kind)
    if opener:
        return opener(address, credentials)
    return _open_device(address, devices or Devices())


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


def _open_file(address: SourceAddress, _credentials: Credentials | None) -> Source:
    wanted = address.capturing
    path, alteration = address.path, address.alteration
    return VideoFile(path, alteration, loops=wanted.loop, real_time=wanted.real_time)


def _open_folder(address: SourceAddress, _credentials: Credentials | None) -> Source:
    path = address.path
    try:
        wanted = address.capturing
        return ImageFolder(path, address.alteration, loops=wanted.loop, real_time=wanted.real_time)
    except OSError as error:
        raise SourceMissing(f"folder {path.name}: {error.strerror}; check the path") from error


def _open_device(address: SourceAddress, devices: Devices) -> Source:
    if address.kind == "v4l2":
        return open_device(address.source, address.capturing, devices)
    if address.place:
        return open_device(devices.find_at(address.place).path, address.capturing, devices)
    if devices.find():
        raise SourceFault("source auto: a camera was found and is being set up")
    raise SourceMissing(f"source auto: no camera found at {devices.dev}/video*; plug one in")


def _open_demo(address: SourceAddress, _credentials: Credentials | None) -> Source:
    from camfleet_capture.sources.demo_scene import DemoScene  # noqa: PLC0415 - heavy, rarely used

    return DemoScene(address.source, address.alteration)


def _open_network(address: SourceAddress, credentials: Credentials | None) -> Source:
    return open_network(address.source, credentials, address.alteration)


def _open_sensor(address: SourceAddress, _credentials: Credentials | None) -> Source:
    return open_sensor(address.source, address.capturing)


def _open_testcard(address: SourceAddress, _credentials: Credentials | None) -> Source:
    from camfleet_capture.sources.testcard import MovingCard  # noqa: PLC0415 - heavy, rarely used

    return MovingCard(wish_of(address.capturing), address.alteration)


_OPENERS: dict[SourceKind, Callable[[SourceAddress, Credentials | None], Source]] = {
    "file": _open_file,
    "folder": _open_folder,
    "rtsp": _open_network,
    "http": _open_network,
    "demo": _open_demo,
    "picamera": _open_sensor,
    "csi": _open_sensor,
    "testcard": _open_testcard,
}
