"""Cameras at this machine's USB, through Video4Linux."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer

from camfleet.streams.errors import StreamMissing
from camfleet.streams.live import LiveVideoStream, NoSink
from camfleet.video.backoff import Backoff
from camfleet.video.connection import ReaderState
from camfleet.video.reader import CameraReader

_LISTED = Path("/sys/class/video4linux")


class Webcam(NamedTuple):
    """A camera as the kernel lists it: its number for `WebcamVideoStream(cam=...)`, its name."""

    cam: int
    name: str


def list_webcams(listed: Path = _LISTED) -> list[Webcam]:
    """The cameras of this machine; nodes of a camera that give no pictures are left out."""
    found = []
    for entry in sorted(listed.glob("video*")):
        number = entry.name.removeprefix("video")
        if number.isdecimal() and _text_of(entry / "index") in {"0", ""}:
            found.append(Webcam(int(number), _text_of(entry / "name") or entry.name))
    return sorted(found)


class WebcamVideoStream(LiveVideoStream):
    """The camera /dev/video<cam>; it is opened again when it was unplugged and comes back."""

    def __init__(self, cam: int = 0) -> None:
        """Nothing is opened yet."""
        super().__init__(f"webcam {cam}")
        self._device = Path(f"/dev/video{cam}")

    def _make_reader(self) -> CameraReader:
        if not self._device.exists():
            raise StreamMissing(f"{self._name}: there is no {self._device}; {_choice()}")
        explain = partial(_explain, self._device)
        return CameraReader(self._name, self._open, NoSink(), explain=explain)

    def _open(self) -> InputContainer:
        return av.open(str(self._device), format="v4l2")


def _choice() -> str:
    found = list_webcams()
    if not found:
        return "no camera is plugged in (in a container: pass the device in with --device)"
    return "there are " + ", ".join(f"cam={one.cam} ({one.name})" for one in found)


def _explain(device: Path, error: Exception, _: Backoff) -> tuple[str, ReaderState]:
    if isinstance(error, PermissionError):
        reason = f"{device} may not be opened; add this user to the group video"
    elif isinstance(error, FileNotFoundError):
        reason = f"{device} is gone; is it unplugged?"
    else:
        reason = f"{device} cannot be read ({error}); does another program use it?"
    return reason, ReaderState.FAILED


def _text_of(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
