"""Decoders of what is copied."""

from typing import cast

from av.video.codeccontext import VideoCodecContext

from camfleet_capture.access_unit import CodecName

_NAMES: dict[CodecName, str] = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}  # libavcodec's


def open_decoder(codec: CodecName) -> VideoCodecContext:
    """Return a decoder for access units as `AccessUnit.coded` gives them; one thread, no delay."""
    decoder = cast("VideoCodecContext", VideoCodecContext.create(_NAMES[codec], "r"))
    decoder.thread_type = "NONE"
    return decoder
