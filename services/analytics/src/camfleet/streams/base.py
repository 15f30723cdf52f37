"""What all video streams have in common."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from av import VideoFrame

from camfleet.images import Image


class VideoStream(ABC):
    """Frames one after the other: `with WebcamVideoStream() as stream: image = stream.read()`.

    `start()` returns the stream itself, as `with` does; `stop()` may be called at any time and
    more than once.
    """

    @abstractmethod
    def start(self) -> Self:
        """Open it and wait for the first frame.

        Raises:
            StreamMissing: it is not there, or gives no picture.
        """

    @abstractmethod
    def read(self) -> Image:
        """The next frame, (H, W, 3) BGR; the array is the caller's own.

        Raises:
            NoMoreFrames: a file is over.
            StreamNotStarted: it is not open.
            StreamLost: no frame came; a later read() may get one.
        """

    @abstractmethod
    def more(self) -> bool:
        """True while another frame may come; False at the end of a file and after stop()."""

    @abstractmethod
    def stop(self) -> None:
        """Close it."""

    @property
    @abstractmethod
    def fps(self) -> float | None:
        """Frames per second as the source states them; None where it does not, or before start."""

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


def image_of(picture: VideoFrame) -> Image:
    """The picture in BGR and upright: phones film turned and say by how much."""
    image = picture.to_ndarray(format="bgr24")
    turned = np.rot90(image, round(picture.rotation / 90) % 4) if picture.rotation else image
    return np.ascontiguousarray(turned, dtype=np.uint8)


def upright(picture: VideoFrame) -> VideoFrame:
    """The picture itself, or one turned as it says."""
    if not picture.rotation:
        return picture
    turned = VideoFrame.from_ndarray(image_of(picture), format="bgr24")
    turned.pts, turned.time_base = picture.pts, picture.time_base
    return turned
