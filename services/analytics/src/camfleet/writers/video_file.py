"""Video files."""

import os
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Self

import av
from av.error import FFmpegError

from camfleet.errors import BadArgument
from camfleet.images import Image, check_image
from camfleet.video.addresses import file_address
from camfleet.writers.encoding import add_stream, even, find_codec, picture_of, rate_of
from camfleet.writers.errors import CannotWrite, OtherSize, WriterError

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream


class VideoWriter:
    """Frames into a file, or a new file every `chunk_duration_s`."""

    def __init__(
        self,
        output_path: str | os.PathLike[str],
        fps: float | Fraction | None = 30,
        codec: str = "avc1",
        chunk_duration_s: float | None = None,
    ) -> None:
        """Nothing is written before the first frame.

        Args:
            output_path: where to; its ending (.mp4, .avi, .mkv ...) says which kind of file. With
                chunks each has the time of its beginning in its name: `out-20261129T101500.mp4`.
            fps: what players show; write that many frames a second. None: 30.
            codec: avc1 or H264, mp4v (MPEG-4 part 2), MJPG.
            chunk_duration_s: seconds of video in a file; None: all in one.

        Raises:
            UnknownCodec: the codec is none of these.
            BadArgument: fps or chunk_duration_s is not above 0.
        """
        self._path, self._codec, self._rate = (
            Path(output_path),
            find_codec(codec),
            rate_of(30 if fps is None else fps),
        )
        if chunk_duration_s is not None and chunk_duration_s <= 0:
            raise BadArgument(f"chunk_duration_s is {chunk_duration_s}, expected seconds above 0")
        self._chunk_frames = (
            None if chunk_duration_s is None else max(1, round(self._rate * chunk_duration_s))
        )
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._frames = 0  # in the open file
        self._is_closed = False
        self.files: list[Path] = []  # what was written, oldest first

    def write_frame(self, frame: Image) -> None:
        """Append a frame, (H, W, 3) BGR; sides of odd length lose their last pixel.

        Raises:
            BadImage: it is not an image.
            OtherSize: the frames before it had another size.
            CannotWrite: the file or its folder refuses.
            WriterError: the writer is closed.
        """
        if self._is_closed:
            raise WriterError(f"{self._path}: is closed; begin another VideoWriter")
        image = even(check_image(frame, str(self._path)))
        if self._chunk_frames is not None and self._frames >= self._chunk_frames:
            self._finish()
        stream = self._stream or self._begin(image)
        size = (image.shape[1], image.shape[0])
        if size != (stream.width, stream.height):
            raise OtherSize(str(self._path), size, (stream.width, stream.height))
        self._mux(picture_of(image, self._codec))
        self._frames += 1

    def close(self) -> None:
        """Finish the file; without a frame there is none."""
        self._is_closed = True
        self._finish()

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the file."""
        self.close()

    def _begin(self, image: Image) -> "VideoStream":
        path = self._path if self._chunk_frames is None else self._free_name()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(file_address(path), "w")
            self._stream = add_stream(self._container, self._codec, self._rate, image)
        except (FFmpegError, OSError, ValueError) as error:
            self._container, self._stream = None, None
            raise CannotWrite(
                f"{path}: cannot be written ({error}); check the folder, and that the name ends in"
                " .mp4, .avi or .mkv"
            ) from error
        self.files.append(path)
        self._frames = 0
        return self._stream

    def _free_name(self) -> Path:
        """Named after the time; two of one second are told apart by a number."""
        began = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
        path = self._path.with_stem(f"{self._path.stem}-{began}")
        number = 1
        while path.exists():
            number += 1
            path = self._path.with_stem(f"{self._path.stem}-{began}-{number}")
        return path

    def _finish(self) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        try:
            if self._stream is not None:
                container.mux(self._stream.encode())
            container.close()
        except (FFmpegError, OSError) as error:
            raise CannotWrite(f"{self.files[-1]}: cannot be finished ({error})") from error
        finally:
            self._stream = None

    def _mux(self, picture: av.VideoFrame) -> None:
        container, stream = self._container, self._stream
        if container is None or stream is None:
            raise WriterError(f"{self._path}: has no open file")
        try:
            container.mux(stream.encode(picture))
        except (FFmpegError, OSError) as error:
            raise CannotWrite(f"{self.files[-1]}: cannot be written ({error})") from error
