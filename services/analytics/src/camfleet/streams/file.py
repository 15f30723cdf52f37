"""A video file as a stream."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import av
from av.container import InputContainer
from av.error import FFmpegError

from camfleet.images import Image
from camfleet.streams.base import VideoStream, image_of
from camfleet.streams.errors import NoMoreFrames, StreamLost, StreamMissing, StreamNotStarted
from camfleet.video.addresses import file_address
from camfleet.video.rate import told_rate

if TYPE_CHECKING:
    from collections.abc import Iterator


class FileVideoStream(VideoStream):
    """Every frame of a file, as fast as they are read; or as a camera would show them."""

    def __init__(self, path: str | os.PathLike[str], play_realtime: bool = False) -> None:
        """Nothing is opened yet.

        Args:
            path: any file with a video stream that FFmpeg reads.
            play_realtime: read() then waits until the frame is due by the file's own times, and
                leaves out those that are past: a slow reader sees fewer frames, as of a camera.
        """
        self._path, self._play_realtime = Path(path), play_realtime
        self._container: InputContainer | None = None
        self._pictures: Iterator[av.VideoFrame] = iter(())
        self._next: av.VideoFrame | None = None
        self._broken = ""
        self._frames, self._began_s = 0, 0.0
        self._fps: float | None = None

    def start(self) -> Self:
        """Open the file and decode its first frame."""
        self.stop()
        if not self._path.is_file():
            raise StreamMissing(f"{self._path}: {self._fault()}; give the path of a video file")
        try:
            self._container = av.open(file_address(self._path), metadata_errors="replace")
        except (FFmpegError, OSError) as error:
            raise StreamMissing(
                f"{self._path}: not a video that can be read: {error.strerror}"
            ) from error
        if not self._container.streams.video:
            self.stop()
            raise StreamMissing(f"{self._path}: has no picture in it")
        self._begin(self._container)
        if self._next is None:
            reason = self._broken or "has no frames"
            self.stop()
            raise StreamMissing(f"{self._path}: {reason}; is the file whole?")
        return self

    def read(self) -> Image:
        """The next frame; with `play_realtime` the one that is due."""
        if self._container is None:
            raise StreamNotStarted(str(self._path))
        if self._play_realtime:
            self._wait_until_due()
        picture = self._next
        if picture is None:
            if self._broken:
                raise StreamLost(f"{self._path}: {self._broken} after {self._frames} frames")
            raise NoMoreFrames(str(self._path), self._frames)
        self._advance()
        return image_of(picture)

    def more(self) -> bool:
        """True while there is another frame."""
        return self._container is not None and self._next is not None

    def stop(self) -> None:
        """Close the file; start() begins again with its first frame."""
        if self._container is not None:
            self._container.close()
        self._container, self._next, self._pictures = None, None, iter(())

    @property
    def fps(self) -> float | None:
        """As the file states them."""
        return self._fps

    def _fault(self) -> str:
        if self._path.is_dir():
            return "is a folder"
        return "is not a file" if self._path.exists() else f"no such file in {Path.cwd()}"

    def _begin(self, container: InputContainer) -> None:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        self._fps = told_rate(stream)
        self._pictures = container.decode(stream)
        self._frames, self._broken = -1, ""
        self._advance()
        self._began_s = time.monotonic() - self._due_s()

    def _advance(self) -> None:
        """Decode one frame ahead, so that more() can tell."""
        self._frames += 1
        try:
            self._next = next(self._pictures, None)
        except (FFmpegError, OSError) as error:
            self._next, self._broken = None, f"cannot be decoded any more ({error.strerror})"

    def _wait_until_due(self) -> None:
        played_s = time.monotonic() - self._began_s
        length_s = 1 / (self._fps or 25)
        while self._next is not None and self._due_s() + length_s < played_s:
            self._advance()
        if self._next is not None:
            time.sleep(max(0.0, self._due_s() - played_s))

    def _due_s(self) -> float:
        """When the next frame is due, on the file's own clock."""
        if self._next is not None and self._next.time is not None:
            return self._next.time
        return self._frames / (self._fps or 25)
