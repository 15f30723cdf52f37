"""A JPEG of the newest key picture, decoded on demand."""

import io
from typing import TYPE_CHECKING

import av
from av.video.frame import VideoFrame

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.coding.decoding import open_decoder

if TYPE_CHECKING:
    from PIL import Image

_JPEG_QUALITY = 85


def encode_snapshot(key: AccessUnit) -> bytes:
    """Decode a key picture and encode it as JPEG.

    Raises:
        ValueError: it cannot be decoded.
    """
    decoder = open_decoder(key.codec)
    try:
        frames = [*decoder.decode(av.Packet(key.coded())), *decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError("the newest key picture cannot be decoded") from error
    if not frames:
        raise ValueError("the newest key picture cannot be decoded")
    return encode_jpeg(frames[0])


def encode_jpeg(frame: VideoFrame) -> bytes:
    """Encode a decoded picture."""
    buffer = io.BytesIO()
    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV has no types here
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
