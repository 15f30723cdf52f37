"""Pictures to calibrate and compare with: a folder, a film, or a camera of the fleet."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlsplit

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camfleet.cli.errors import CommandError
from camfleet.cli.media import files_of, frame_count, is_picture, read_frames
from camfleet.video.addresses import with_credentials
from camfleet_contracts.access import is_loopback
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings

_EACH_S = 0.5  # of a camera: pictures of the same moment teach nothing new


def pictures_of(settings: FleetSettings, source: str, count: int) -> list[VideoFrame]:
    """At most `count` pictures, spread over what there is.

    Raises:
        CommandError: there are none.
    """
    path = Path(source)
    if path.exists():
        return _of_files(path, count)
    return _of_camera(settings, source, count)


def _of_files(path: Path, count: int) -> list[VideoFrame]:
    files = files_of(path)
    if len(files) > 1 or is_picture(files[0]):
        step = max(1, len(files) // count)
        chosen = islice(files[::step], count)
        return [next(read_frames(file)).picture for file in chosen]
    step = max(1, (frame_count(files[0]) or count) // count)
    frames = (f.picture for f in read_frames(files[0]) if f.number % step == 0)
    return list(islice(frames, count))


def _of_camera(settings: FleetSettings, name: str, count: int) -> list[VideoFrame]:
    address = _address_of(settings, name)
    options = {"rtsp_transport": "tcp", "analyzeduration": "100000", "fpsprobesize": "0"}
    try:
        with av.open(address, options=options, timeout=(5.0, 3.0)) as stream:
            return list(islice(_now_and_then(stream.decode(video=0)), count))
    except (FFmpegError, OSError) as error:
        raise CommandError(
            f"{name} is neither a file or folder nor a camera that capture shows now; "
            "`camfleet camera list` shows those there are"
        ) from error


def _address_of(settings: FleetSettings, name: str) -> str:
    """The stream of a camera at capture; beyond this machine with the fleet's own key."""
    address = f"{settings.capture.rstrip('/')}/{quote(name, safe='')}"
    if is_loopback(urlsplit(address).hostname or ""):
        return address
    secret = KeyStore(settings.state_dir / "keys.json").fleet_secret()
    return with_credentials(address, ("camfleet", secret))


def _now_and_then(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    due_s: float | None = None
    for frame in frames:
        if frame.time is None or (due_s is not None and frame.time < due_s):
            continue
        due_s = frame.time + _EACH_S
        yield frame
