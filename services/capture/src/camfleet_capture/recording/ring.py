"""The files of one camera's recording on the disk, bounded by their size."""

import os
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av

from camfleet_contracts.logs import get_logger

logger = get_logger(__name__)

_FINISHED = re.compile(r"(\d+)-(\d+)\.mp4")
_OPEN = re.compile(r"(\d+)\.part\.mp4")
_MS = 1000
_RESERVE_SHARE, _RESERVE_BYTES = 0.05, 500_000_000  # of the disk, at most: left to others on it
_BOX = struct.Struct(">I4s")  # of MP4: bytes in all, kind


@dataclass(frozen=True, slots=True)
class Segment:
    """One file; times are Unix seconds of its first and its newest picture."""

    path: Path
    started_at: float
    ends_at: float
    size_bytes: int


class Ring:
    """Finished segments, oldest first. One thread changes it; `segments` may be read by others.

    Args:
        folder: of this camera alone; made when the first segment is.
        size_bytes: all files together; the oldest go first.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder, self._bound = folder, size_bytes
        self.segments: tuple[Segment, ...] = ()

    def open(self) -> None:
        """Look at what is there; files that a kill cut off are finished.

        Raises:
            OSError: the folder cannot be made or read.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.iterdir()):
            if match := _OPEN.fullmatch(path.name):
                _finish_cut_off(path, int(match[1]))
        self.segments = tuple(_found(self.folder))

    def path_for(self, started_at: float) -> Path:
        """Return where a segment that begins now is written."""
        return self.folder / f"{round(started_at * _MS)}.part.mp4"

    def add(self, path: Path, started_at: float, ends_at: float) -> None:
        """Take over a finished file.

        Raises:
            OSError: it cannot be renamed.
        """
        times = f"{round(started_at * _MS)}-{round(ends_at * _MS)}"
        target = path.rename(self.folder / f"{times}.mp4")
        size_bytes = target.stat().st_size
        self.segments = (*self.segments, Segment(target, started_at, ends_at, size_bytes))

    def make_room(self, open_bytes: int) -> None:
        """Delete the oldest files until the rest is within the bound; one on a nearly full disk.

        One each time, as some file systems tell only later that a deletion made room.

        Args:
            open_bytes: of the file that is being written.

        Raises:
            OSError: the disk cannot be asked.
        """
        kept = list(self.segments)
        total = open_bytes + sum(segment.size_bytes for segment in kept)
        while kept and total > self._bound:
            total -= kept[0].size_bytes
            _delete(kept.pop(0))
        if kept and _is_nearly_full(self.folder):
            _delete(kept.pop(0))
        self.segments = tuple(kept)

    def drop_oldest(self) -> bool:
        """Delete the oldest file because the disk is full; False when there is none."""
        if not self.segments:
            return False
        _delete(self.segments[0])
        self.segments = self.segments[1:]
        return True


def _found(folder: Path) -> Iterator[Segment]:
    for path in sorted(folder.iterdir(), key=lambda one: (len(one.name), one.name)):
        if match := _FINISHED.fullmatch(path.name):
            start, end = (int(text) / _MS for text in match.groups())
            with suppress(FileNotFoundError):
                yield Segment(path, start, end, path.stat().st_size)


def _finish_cut_off(path: Path, start_ms: int) -> None:
    """Give a file that was never closed the name of a finished one; an empty one goes."""
    try:
        _drop_cut_off_header(path)
        length_s = _length_of(path)
    except (OSError, av.error.FFmpegError) as error:  # not its own fault: the next look decides
        logger.warning("recording not taken up", file=path.name, reason=error.strerror)
        return
    if length_s is None:
        path.unlink(missing_ok=True)
        return
    path.rename(path.parent / f"{start_ms}-{start_ms + round(length_s * _MS)}.mp4")
    logger.info("recording taken up again", file=path.name, seconds=round(length_s, 1))


def _drop_cut_off_header(path: Path) -> None:
    """Take off what was cut off within a header at the end: libav would refuse the whole file.

    Pictures that were cut off stay, as libav tells which these are.
    """
    with path.open("r+b") as file:
        end, start, kind = file.seek(0, os.SEEK_END), 0, b""
        while start < end:
            file.seek(start)
            head = file.read(_BOX.size).ljust(_BOX.size, b"\0")
            size_bytes, kind = _BOX.unpack(head)
            if start + max(size_bytes, _BOX.size) > end:
                break
            start += max(size_bytes, _BOX.size)
        if start < end and kind != b"mdat":
            file.truncate(start)


def _length_of(path: Path) -> float | None:
    """Return how long a file is; None where there is no picture in it."""
    try:
        with av.open(str(path)) as container:
            times = [
                float(packet.pts * packet.time_base)
                for packet in container.demux(video=0)
                if packet.pts is not None and not packet.is_corrupt
            ]
    except (av.error.InvalidDataError, av.error.EOFError, IndexError):
        return None
    return max(times) - min(times) if times else None


def _is_nearly_full(folder: Path) -> bool:
    disk = os.statvfs(folder)
    reserve = min(_RESERVE_SHARE * disk.f_blocks * disk.f_frsize, _RESERVE_BYTES)
    return disk.f_bavail * disk.f_frsize < reserve


def _delete(segment: Segment) -> None:
    with suppress(FileNotFoundError):
        segment.path.unlink()
