"""The range of brightness that video has: 16 to 235, where JPEG has 0 to 255."""

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange


def as_video(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """Return the picture in a size, in 4:2:0 and in the range that readers take H.264 to have."""
    is_full = frame.color_range == ColorRange.JPEG
    to = ColorRange.MPEG if is_full else None  # None: as it is, without a look at every pixel
    return frame.reformat(width, height, "yuv420p", dst_color_range=to)
