"""Frames of pictures, folders and films."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camfleet.cli.errors import CommandError
from camfleet.drawing.compose import PICTURES
from camfleet.images import Image
from camfleet.streams.base import upright
from camfleet.video.addresses import file_address

_DEFAULT_FPS = 25


class BadMedia(CommandError):
    """A file is not a picture or film, or only a part of one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and where it is from."""

    path: Path
    number: int  # from 0; always 0 for pictures
    picture: VideoFrame


def pixels_of(picture: VideoFrame) -> Image:
    """The picture as BGR."""
    return picture.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


def is_picture(path: Path) -> bool:
    """Whether the name is that of a picture."""
    return path.suffix.lower() in PICTURES


def files_of(source: Path) -> tuple[Path, ...]:
    """The source itself, or the pictures in it.

    Raises:
        CommandError: it is not there, or the folder has no picture.
    """
    if source.is_file():
        return (source,)
    if not source.is_dir():
        what = "is neither file nor folder" if source.exists() else "no such file or folder"
        raise CommandError(f"{source}: {what}; give a picture, a folder or a film")
    found = tuple(sorted(path for path in source.iterdir() if is_picture(path)))
    if not found:
        raise CommandError(f"{source}: has no pictures ({', '.join(sorted(PICTURES))})")
    return found


def read_frames(path: Path) -> Iterator[Frame]:
    """Decode a picture or film.

    Raises:
        BadMedia: it cannot be read, or nothing in it is a picture.
    """
    number = 0
    if path.exists() and not path.is_file():  # opening a named pipe waits for somebody who writes
        raise BadMedia(f"{path}: is not a file; remove it, or put a picture or film in its place")
    try:
        with av.open(file_address(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise BadMedia(f"{path}: has no picture in it")
            container.streams.video[0].thread_type = "AUTO"
            for number, picture in enumerate(container.decode(video=0)):
                yield Frame(path, number, upright(picture))
                if is_picture(path):
                    return
    except (FFmpegError, OSError) as error:
        reason = error.strerror or "cannot be decoded"
        way = f"after {number} frames" if number else "no picture or film"
        raise BadMedia(f"{path}: {reason} ({way}); is the file whole?") from error


def frame_count(path: Path) -> int | None:
    """How many frames a film says it has; None when it does not."""
    try:
        with av.open(file_address(path), metadata_errors="replace") as container:
            video = next(iter(container.streams.video), None)
            return (video.frames or None) if video else None
    except (FFmpegError, OSError):
        return None


def frame_rate(path: Path) -> Fraction:
    """Frames per second of a film; 25 where it does not say, or is none, as `read_frames` tells."""
    try:
        with av.open(file_address(path), metadata_errors="replace") as container:
            return container.streams.video[0].average_rate or Fraction(_DEFAULT_FPS)
    except (FFmpegError, OSError, IndexError):
        return Fraction(_DEFAULT_FPS)
