"""Which coder a stream gets."""

import av
from av.video.codeccontext import VideoCodecContext

from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.codecs import h264, h265
from camfleet_capture.coding.coder import Coder
from camfleet_capture.coding.copying import JpegCopier, NalCopier
from camfleet_capture.coding.transcoding import Transcoder

_USUAL_FPS = 15.0


def open_coder(stream: av.VideoStream, alteration: Alteration = NOTHING) -> Coder:
    """Choose the coder of a container's stream."""
    return coder_of(stream.codec_context, float(stream.average_rate or 0) or _USUAL_FPS, alteration)


def coder_of(context: VideoCodecContext, fps: float, alteration: Alteration = NOTHING) -> Coder:
    """Choose the copy for H.264, H.265 and MJPEG as they are, an encoder for all else."""
    if alteration:
        return Transcoder(context, fps, alteration)
    if context.name == "h264":
        return NalCopier(h264, context.extradata)
    if context.name == "hevc":
        return NalCopier(h265, context.extradata)
    if context.name == "mjpeg":
        return JpegCopier(context, fps)
    return Transcoder(context, fps)
