"""Pictures to try a model on: from a camera of the fleet, or from a file."""

import io
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camfleet.cli.capture_client import camera_states, snapshot
from camfleet.cli.settings import command_settings
from camfleet_contracts.direct import capture_http_address


class NoPicture(Exception):
    """No picture can be had; the text says from where and what to do."""


def grab_frame(source: str | Path = "") -> VideoFrame:
    """The newest picture of a camera (by name; "" is the first one), or the picture of a file.

    Raises:
        NoPicture: capture does not answer, there is no such camera, or the file is no picture.
    """
    if source and Path(source).is_file():
        return _decoded(Path(source).read_bytes(), str(source))
    settings = command_settings()
    cameras = camera_states(settings)
    if cameras is None:
        raise NoPicture(
            f"capture does not answer at {capture_http_address(settings)}; start the fleet with "
            "`camfleet up`, or give the path of a picture"
        )
    name = str(source) or next(iter(cameras), "")
    if name not in cameras:
        raise NoPicture(f"no camera '{name}'; there are: {', '.join(cameras) or 'none'}")
    jpeg = snapshot(settings, name)
    if jpeg is None:
        reason = cameras[name].get("reason") or cameras[name].get("state")
        raise NoPicture(f"camera '{name}' has no picture now: {reason}")
    return _decoded(jpeg, f"camera '{name}'")


def _decoded(content: bytes, where: str) -> VideoFrame:
    try:
        with av.open(io.BytesIO(content), "r") as container:
            return next(container.decode(video=0))
    except (FFmpegError, StopIteration, IndexError) as error:
        raise NoPicture(f"{where}: is no picture that can be decoded") from error
