"""Which coder a stream gets."""

import av
from av.video.codeccontext import VideoCodecContext

from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.codecs import h264, h265
from camfleet_capture.coding.coder import Coder
from camfleet_capture.coding.copying import JpegCopier, NalCopier
from camfleet_capture.coding.transcoding import Transcoder

_USUAL_FPS = 15.0
_HIGHEST_FPS = 1000.0  # where no rate is told, libavformat names one of 90,000 or below 0
_WITHOUT_ORDER = frozenset({"h264", "hevc", "avi"})  # formats that tell no times of B pictures


def nominal_rate(stream: av.VideoStream) -> float | None:
    """Return what a stream tells of its pictures a second; its clock is none of that."""
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return rate if 0 < rate <= _HIGHEST_FPS else None


def open_coder(
    stream: av.VideoStream, alteration: Alteration = NOTHING, fps: float | None = None
) -> Coder:
    """Choose the coder of a container's stream; `fps` in place of the rate that it tells."""
    context = stream.codec_context
    fps = fps or nominal_rate(stream) or _USUAL_FPS
    is_h26x = context.codec.canonical_name in {"h264", "hevc"}
    if is_h26x and context.reorder_depth and stream.container.format.name in _WITHOUT_ORDER:
        return Transcoder(context, fps, alteration, knows_order=False)
    return coder_of(context, fps, alteration)


def coder_of(context: VideoCodecContext, fps: float, alteration: Alteration = NOTHING) -> Coder:
    """Choose the copy for H.264, H.265 and MJPEG as they are, an encoder for all else."""
    if alteration:
        return Transcoder(context, fps, alteration)
    kind = context.codec.canonical_name  # a decoder may have a name of its own: libdav1d
    if kind == "h264":
        return NalCopier(h264, context.extradata)
    if kind == "hevc":
        return NalCopier(h265, context.extradata)
    if kind == "mjpeg":
        return JpegCopier(context, fps)
    return Transcoder(context, fps)
