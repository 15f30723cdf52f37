"""Pictures to H.264 that every reader takes."""

from collections.abc import Iterator
from fractions import Fraction

from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.codecs import h264
from camfleet_capture.codecs.nal import split_start_codes
from camfleet_capture.video_range import as_video

_PRESET = {"preset": "ultrafast", "tune": "zerolatency", "crf": "25"}
_GROUP_S = 1.5


def encoded(what: str, why: Alteration | str = NOTHING) -> str:
    """Say what is encoded anew, and why, e.g. "h264 to h264 (rotated 90)"."""
    return f"{what} to h264 ({why})" if why else f"{what} to h264"


class PictureEncoder:
    """One-slice, zero-latency H.264; opened anew when the picture size changes."""

    def __init__(self, fps: float, alteration: Alteration = NOTHING) -> None:
        self._fps, self._alteration = max(fps, 0.5), alteration
        self._context: VideoCodecContext | None = None
        self._key_ticks = 0  # of the newest key picture

    def encode(self, frame: VideoFrame, ticks: int, shown_at: float) -> Iterator[AccessUnit]:
        """Yield the coded picture; its parameter sets come with every key picture."""
        if self._alteration:
            frame = self._alteration.apply(frame)
        width, height = even_size(frame.width, frame.height)
        context = self._context
        if context is None or (context.width, context.height) != (width, height):
            context = self._context = _open_encoder(width, height, self._fps)
        picture = as_video(frame, width, height)
        picture.pts, picture.time_base = ticks, Fraction(1, CLOCK_HZ)
        is_due = not 0 <= ticks - self._key_ticks < _GROUP_S * CLOCK_HZ
        picture.pict_type = PictureType.I if is_due else PictureType.NONE
        for packet in context.encode(picture):
            nals = split_start_codes(bytes(packet))
            nals = [nal for nal in nals if h264.nal_type(nal) != h264.SEI]  # x264's own advert
            if packet.is_keyframe:
                self._key_ticks = ticks
            yield AccessUnit(tuple(nals), packet.is_keyframe, ticks, shown_at)


def even_size(width: int, height: int) -> tuple[int, int]:
    """Return the nearest smaller size that 4:2:0 has, at least 2 by 2."""
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _open_encoder(width: int, height: int, fps: float) -> VideoCodecContext:
    context = VideoCodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, CLOCK_HZ), Fraction(fps).limit_denominator()
    context.thread_count = 1
    group = max(1, round(fps * _GROUP_S))
    context.options = {
        **_PRESET,
        "x264-params": f"keyint={group}:min-keyint={group}:scenecut=0:repeat-headers=1:"
        "annexb=1:sliced-threads=0:threads=1:aud=0",
    }
    return context
