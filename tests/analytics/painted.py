"""Frames and clips whose number can be read back from the picture."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camfleet.writers.video_file import VideoWriter

Image = NDArray[np.uint8]
DARKEST, STEP = 24, 4  # grey levels of the first frame, and to the next one


def painted(number: int, width: int = 64, height: int = 48) -> Image:
    """A grey frame of this number (below 52)."""
    return np.full((height, width, 3), DARKEST + STEP * number, np.uint8)


def number_of(image: Image) -> int:
    """FFmpeg's conversion to BGR makes it up to two levels darker."""
    return round((float(image.mean()) + 1.5 - DARKEST) / STEP)


def write_clip(path: Path, frames: int = 20, fps: float = 10, codec: str = "avc1") -> Path:
    with VideoWriter(path, fps=fps, codec=codec) as writer:
        for number in range(frames):
            writer.write_frame(painted(number))
    return path


@contextmanager
def writing_on(write: Callable[[Image], None], fps: float = 25) -> Iterator[None]:
    """Write frame after frame in a thread, as an application does, until the block ends."""
    stopped = threading.Event()

    def work() -> None:
        number = 0
        while not stopped.wait(1 / fps):
            write(painted(number % 50))
            number += 1

    thread = threading.Thread(target=work, name="writing-on")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
