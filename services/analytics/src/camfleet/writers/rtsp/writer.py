"""Frames as H.264 over RTSP."""

import threading
import time
from fractions import Fraction
from typing import Protocol, Self, cast

import av
from av.error import FFmpegError
from av.video.frame import PictureType

from camfleet.images import Image, check_image
from camfleet.writers.encoding import (
    LIVE_OPTIONS,
    add_stream,
    even,
    find_codec,
    picture_of,
    rate_of,
)
from camfleet.writers.errors import CannotWrite, OtherSize, WriterError
from camfleet.writers.rtsp.broadcast import Broadcast, CodedFrame
from camfleet.writers.rtsp.rtp import CLOCK_HZ, Packetiser, nal_units, parameter_sets
from camfleet.writers.rtsp.server import RtspServer
from camfleet_contracts.redaction import redact

_OPEN_TIMEOUT_S = 10.0
_CODEC = find_codec("H264")


class _Way(Protocol):
    """How coded frames leave."""

    def send(self, image: Image, time_s: float) -> None:
        """Code and send a frame of the size of the first one."""

    def close(self) -> None:
        """No more frames."""


class RtspVideoWriter:
    """Frames that others read at `address` as from a camera.

    Without `url` the writer is the server itself; with it, it publishes to a server such as
    MediaMTX or go2rtc (ANNOUNCE and RECORD), which hands on to any number of readers.
    """

    def __init__(
        self,
        url: str | None = None,
        fps: float | Fraction = 30,
        host: str = "127.0.0.1",
        port: int = 8555,
        path: str = "stream",
    ) -> None:
        """Listen at once, or connect with the first frame.

        Args:
            url: rtsp://user:password@host:port/path to publish to.
            fps: about how many frames a second will be written; times are those of writing.
            host: where to listen; beyond this machine, CAMFLEET_API_KEY and ALLOW_CIDR must be
                set, and readers give the key as password.
            port: where to listen; 0 takes a free one.
            path: last part of the address.

        Raises:
            CannotWrite: the port is taken, or `host` is not protected as it must be.
        """
        self._rate = rate_of(fps)
        self._size: tuple[int, int] | None = None
        self._began_s = 0.0
        self._way: _Way | None = None
        self._is_closed = False
        self._url = url
        if url is None:
            server = _Serving(self._rate, (host, port), path.strip("/"))
            self._way, self.address = server, server.address
        else:
            self.address = redact(url)

    def write_frame(self, frame: Image) -> None:
        """Send a frame, (H, W, 3) BGR; sides of odd length lose their last pixel.

        Raises:
            BadImage: it is not an image.
            OtherSize: the frames before it had another size.
            CannotWrite: the server at `url` refuses or is gone.
            WriterError: the writer is closed.
        """
        if self._is_closed:
            raise WriterError(f"{self.address}: is closed; begin another RtspVideoWriter")
        image = even(check_image(frame, self.address))
        size = (image.shape[1], image.shape[0])
        if self._size is None:
            self._size, self._began_s = size, time.monotonic()
        if size != self._size:
            raise OtherSize(self.address, size, self._size)
        if self._way is None:
            self._way = _Publishing(self._rate, self._url or "", image)
        self._way.send(image, time.monotonic() - self._began_s)

    def close(self) -> None:
        """End the stream of all readers."""
        if not self._is_closed and self._way is not None:
            self._way.close()
        self._is_closed = True

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class _Serving:
    """Codes once for all readers."""

    def __init__(self, rate: Fraction, place: tuple[str, int], path: str) -> None:
        self._rate, self._broadcast, self._packetiser = rate, Broadcast(), Packetiser()
        self._encoder: av.VideoCodecContext | None = None
        try:
            self._server = RtspServer(place, path, self._broadcast)
        except OSError as error:
            raise CannotWrite(
                f"rtsp://{place[0]}:{place[1]}: {error.strerror or error}; choose another port,"
                " 0 is any"
            ) from error
        self.address = f"rtsp://{place[0]}:{self._server.server_address[1]}/{path}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="rtsp-writer", daemon=True
        )
        self._thread.start()

    def send(self, image: Image, time_s: float) -> None:
        encoder = self._encoder or self._begin(image)
        picture = picture_of(image, _CODEC)
        picture.pts = round(time_s * CLOCK_HZ)
        if self._broadcast.wants_key:
            picture.pict_type = PictureType.I
        for packet in encoder.encode(picture):
            units = nal_units(bytes(packet))
            coded = self._packetiser.packets(units, packet.pts or 0)
            sets = parameter_sets(units) if packet.is_keyframe else []
            self._broadcast.put(CodedFrame(coded, packet.is_keyframe), sets)

    def close(self) -> None:
        self._server.close()
        self._thread.join(2)

    def _begin(self, image: Image) -> av.VideoCodecContext:
        # PyAV says only that it is some codec.
        encoder = cast("av.VideoCodecContext", av.CodecContext.create(_CODEC.encoder, "w"))
        encoder.height, encoder.width = image.shape[:2]
        encoder.pix_fmt, encoder.time_base = _CODEC.pixels, Fraction(1, CLOCK_HZ)
        encoder.framerate, encoder.gop_size = self._rate, max(1, round(self._rate))
        encoder.options = dict(LIVE_OPTIONS)
        self._encoder = encoder
        return encoder


class _Publishing:
    """Pushes with FFmpeg's own RTSP client."""

    def __init__(self, rate: Fraction, url: str, image: Image) -> None:
        self._address = redact(url)
        try:
            self._container = av.open(
                url, "w", format="rtsp", options={"rtsp_transport": "tcp"}, timeout=_OPEN_TIMEOUT_S
            )
            self._stream = add_stream(self._container, _CODEC, rate, image, is_live=True)
            self._stream.codec_context.time_base = Fraction(1, CLOCK_HZ)
            self._container.start_encoding()
        except (FFmpegError, OSError, ValueError) as error:
            raise CannotWrite(
                f"{self._address}: takes no stream ({redact(str(error))}); is a server there that"
                " accepts publishers, e.g. MediaMTX, and is the password right?"
            ) from error

    def send(self, image: Image, time_s: float) -> None:
        picture = picture_of(image, _CODEC)
        picture.pts, picture.time_base = round(time_s * CLOCK_HZ), Fraction(1, CLOCK_HZ)
        try:
            self._container.mux(self._stream.encode(picture))
        except (FFmpegError, OSError) as error:
            raise CannotWrite(
                f"{self._address}: the server is gone ({redact(str(error))})"
            ) from error

    def close(self) -> None:
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
        except (FFmpegError, OSError) as error:
            raise CannotWrite(f"{self._address}: cannot be ended ({error})") from error
