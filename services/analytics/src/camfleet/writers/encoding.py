"""From images to coded packets."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
from av.container import OutputContainer

from camfleet.errors import BadArgument
from camfleet.images import Image
from camfleet.writers.errors import UnknownCodec

if TYPE_CHECKING:
    from av.video.stream import VideoStream

LIVE_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "repeat-headers=1"}
_LIMITED_RANGE = "yuv420p"
_RATE_PRECISION = 1001  # 30000/1001 is NTSC


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to code."""

    encoder: str
    pixels: str
    options: tuple[tuple[str, str], ...] = ()
    bits_per_pixel: float = 0.0  # of a frame; 0 where the encoder keeps a quality instead


_H264 = Codec("libx264", _LIMITED_RANGE, (("preset", "veryfast"),))
CODECS = {
    "avc1": _H264,
    "H264": _H264,
    "mp4v": Codec("mpeg4", _LIMITED_RANGE, bits_per_pixel=0.25),
    "MJPG": Codec("mjpeg", "yuvj420p", bits_per_pixel=1.5),
}


def find_codec(name: str) -> Codec:
    """The codec of a FourCC.

    Raises:
        UnknownCodec: it is none of CODECS.
    """
    codec = {key.lower(): one for key, one in CODECS.items()}.get(name.lower())
    if codec is None:
        raise UnknownCodec(f"codec {name!r} is not known; use one of {', '.join(CODECS)}")
    return codec


def rate_of(fps: float | Fraction) -> Fraction:
    """Frames per second as a fraction.

    Raises:
        BadArgument: they are not above 0.
    """
    rate = Fraction(fps).limit_denominator(_RATE_PRECISION)
    if rate <= 0:
        raise BadArgument(f"fps is {fps}, expected a number above 0")
    return rate


def even(image: Image) -> Image:
    """Without its last row and column where their number is odd: 4:2:0 has pairs of both."""
    height, width = (side - side % 2 for side in image.shape[:2])
    return image[:height, :width]


def add_stream(
    container: OutputContainer, codec: Codec, rate: Fraction, image: Image, *, is_live: bool = False
) -> "VideoStream":
    """A stream for images of this size; a live one holds no frame back."""
    options = LIVE_OPTIONS if is_live else dict(codec.options)
    # PyAV knows the kind of stream only of encoders that are written out here.
    stream = cast("VideoStream", container.add_stream(codec.encoder, rate=rate, options=options))
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = codec.pixels
    if is_live:
        stream.codec_context.gop_size = max(1, round(rate))
    if codec.bits_per_pixel:
        stream.bit_rate = round(stream.width * stream.height * codec.bits_per_pixel * rate)
    return stream


def picture_of(image: Image, codec: Codec) -> av.VideoFrame:
    """The image as its encoder takes it; OpenCV rounds where FFmpeg cuts off and darkens."""
    if codec.pixels != _LIMITED_RANGE:
        return av.VideoFrame.from_ndarray(image, format="bgr24")
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
    return av.VideoFrame.from_ndarray(planes, format=_LIMITED_RANGE)
