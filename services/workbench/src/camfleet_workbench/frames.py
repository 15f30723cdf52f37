"""Pictures to try a model on: from a camera of the fleet, or from a file."""

import io
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlsplit

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camfleet.cli.capture_client import camera_states, snapshot
from camfleet.cli.media import files_of, frame_count, is_picture, read_frames
from camfleet.cli.settings import command_settings
from camfleet.streams.live import NoSink
from camfleet.video.addresses import with_default_login
from camfleet.video.connection import ReaderState
from camfleet.video.frames import Frame
from camfleet.video.reader import CameraReader, rtsp
from camfleet_contracts.access import is_loopback
from camfleet_contracts.direct import capture_http_address
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings
from camfleet_workbench.plainly import CellError, plainly

PATIENCE_S = 15.0  # a camera that gives no picture for so long is given up


class NoPicture(CellError):
    """No picture can be had; the text says from where and what to do."""


@plainly
def grab_frame(source: str | Path = "", fallback: str | Path | None = None) -> VideoFrame:
    """The newest picture of a camera (by name; "" is the first one), or the first one of a file.

    `fallback` is a file that is taken where there is no such picture; a line says so.

    Raises:
        NoPicture: capture does not answer, there is no such camera, or the file is not a picture.
    """
    try:
        if source and Path(source).is_file():
            return _first_of(Path(source))
        return _snapshot(command_settings(), str(source))
    except NoPicture as error:
        return _first_of(_instead(error, fallback))


@plainly
def grab_frames(
    source: str | Path = "",
    count: int = 8,
    *,
    every_s: float = 0.5,
    fallback: str | Path | None = None,
) -> list[VideoFrame]:
    """Pictures of a camera, `every_s` seconds apart, or `count` spread over a film or folder.

    Raises:
        NoPicture: there is no such camera and no `fallback`, or it stopped sending.
    """
    try:
        if source and Path(source).exists():
            return _spread(Path(source), count)
        with closing(camera_frames(str(source), every_s)) as frames:
            return [frame.picture for frame in islice(frames, count)]
    except NoPicture as error:
        return _spread(_instead(error, fallback), count)


@contextmanager
def open_source(
    source: str | Path = "", fallback: str | Path | None = None
) -> Iterator[Iterator[VideoFrame]]:
    """The pictures of a camera as they come, or those of a film one after another.

    A camera gives its newest picture each time; what nobody asked for meanwhile is dropped.

    Raises:
        NoPicture: there is no such camera and no `fallback`, or it stopped sending.
    """
    path = Path(source) if source and Path(source).exists() else None
    if path is None:
        try:
            name = _known_camera(command_settings(), str(source))
        except NoPicture as error:
            path = _instead(error, fallback)
    if path is not None:
        yield (frame.picture for file in files_of(path) for frame in read_frames(file))
        return
    with reading(command_settings(), name) as reader:
        yield (frame.picture for frame in _newest(reader, name))


def camera_frames(name: str, every_s: float) -> Generator[Frame]:
    """Frames of a camera of the fleet with their times, `every_s` seconds apart, without an end.

    Raises:
        NoPicture: there is no such camera, or it stopped sending.
    """
    settings = command_settings()
    name = _known_camera(settings, name)
    with reading(settings, name) as reader:
        due = (0, 0.0)  # connection and its own clock, which begins anew with each
        for frame in _newest(reader, name):
            if (frame.connection, frame.pts_s) >= due:
                due = (frame.connection, frame.pts_s + every_s)
                yield frame


@contextmanager
def reading(settings: FleetSettings, name: str) -> Iterator[CameraReader]:
    """The library's reader on a camera at capture, until the block ends."""
    reader = CameraReader(name, rtsp(lambda: address_of(settings, name)), NoSink())
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


def address_of(settings: FleetSettings, name: str) -> str:
    """The stream of a camera at capture; beyond this machine with the fleet's own key."""
    address = f"{settings.capture.rstrip('/')}/{quote(name, safe='')}"
    if is_loopback(urlsplit(address).hostname or ""):
        return address
    secret = KeyStore(settings.state_dir / "keys.json").fleet_secret()
    return with_default_login(address, ("camfleet", secret))


def _newest(reader: CameraReader, name: str) -> Iterator[Frame]:
    seen_s = time.monotonic()
    while True:
        frame = reader.slot.take(0.2)
        if frame is not None:
            seen_s = time.monotonic()
            yield frame
        elif time.monotonic() - seen_s > PATIENCE_S:
            known = reader.connection
            reason = known.reason or ReaderState(known.state).lower()
            raise NoPicture(
                f"camera '{name}' gave no picture for {PATIENCE_S:.0f} s: {reason}; "
                "`camfleet camera list` shows its state"
            )


def _known_camera(settings: FleetSettings, name: str) -> str:
    cameras = camera_states(settings)
    if cameras is None:
        raise NoPicture(
            f"capture does not answer at {capture_http_address(settings)}; start the fleet with "
            "`camfleet up`, or give the path of a picture"
        )
    chosen = name or next(iter(cameras), "")
    if chosen not in cameras:
        raise NoPicture(f"no camera '{chosen}'; there are: {', '.join(cameras) or 'none'}")
    return chosen


def _snapshot(settings: FleetSettings, name: str) -> VideoFrame:
    chosen = _known_camera(settings, name)
    jpeg = snapshot(settings, chosen)
    if jpeg is None:
        state = (camera_states(settings) or {}).get(chosen, {})
        reason = state.get("reason") or state.get("state") or "it is gone"
        raise NoPicture(f"camera '{chosen}' has no picture now: {reason}")
    return _decoded(jpeg, f"camera '{chosen}'")


def _instead(error: NoPicture, fallback: str | Path | None) -> Path:
    """The file to take; the reason is printed, so that nobody takes it for the camera."""
    if fallback is None or not Path(fallback).exists():
        raise error
    print(f"{error}\ntaking {fallback}")  # noqa: T201 - the cell's reader has to know
    return Path(fallback)


def _spread(path: Path, count: int) -> list[VideoFrame]:
    files = files_of(path)
    if len(files) > 1 or is_picture(files[0]):
        step = max(1, len(files) // count)
        return [next(read_frames(file)).picture for file in files[::step][:count]]
    step = max(1, (frame_count(files[0]) or count) // count)
    taken: list[VideoFrame] = []
    for frame in read_frames(files[0]):
        if frame.number % step == 0:
            taken.append(frame.picture)
        if len(taken) == count:
            break
    return taken


def _first_of(path: Path) -> VideoFrame:
    return _decoded(path.read_bytes(), str(path))


def _decoded(content: bytes, where: str) -> VideoFrame:
    try:
        with av.open(io.BytesIO(content), "r", metadata_errors="replace") as container:
            return next(container.decode(video=0))
    except (FFmpegError, StopIteration, IndexError) as error:
        raise NoPicture(f"{where}: is not a picture that can be decoded") from error
