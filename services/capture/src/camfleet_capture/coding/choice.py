"""Which coder a stream gets."""

import av

from camfleet_capture.codecs import h264, h265
from camfleet_capture.coding.coder import Coder
from camfleet_capture.coding.copying import JpegCopier, NalCopier
from camfleet_capture.coding.transcoding import Transcoder

_USUAL_FPS = 15.0


def open_coder(stream: av.VideoStream) -> Coder:
    """Choose the copy for H.264, H.265 and MJPEG, an encoder for all else."""
    context = stream.codec_context
    fps = float(stream.average_rate or 0) or _USUAL_FPS
    if context.name == "h264":
        return NalCopier(h264, context.extradata)
    if context.name == "hevc":
        return NalCopier(h265, context.extradata)
    if context.name == "mjpeg":
        return JpegCopier(context, fps)
    return Transcoder(context, fps)
