"""Frames in another size or format, from any thread.

PyAV's `VideoFrame.reformat` keeps FFmpeg's scaler in the frame; two threads that ask one frame end
the process. Here every thread has a scaler, which also is not set up anew for every frame.
"""

import threading

import av
from av.video.reformatter import Interpolation, VideoReformatter


class _Scaler(threading.local):
    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


_scaler = _Scaler()


def reformatted(
    frame: av.VideoFrame,
    pixel_format: str,
    size: tuple[int, int] | None = None,
    interpolation: Interpolation = Interpolation.BILINEAR,
) -> av.VideoFrame:
    """The frame in a pixel format of FFmpeg, and of a size (width, height) where one is given."""
    width, height = size or (None, None)
    return _scaler.reformatter.reformat(
        frame, width, height, pixel_format, interpolation=interpolation
    )
