"""From packets to access units: copied where readers can take them, else encoded anew."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol, TypeAlias

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from camfleet_capture import h264
from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit

_PRESET = {"preset": "ultrafast", "tune": "zerolatency", "crf": "25"}
_GROUP_S = 1.5
_EVERYWHERE_420 = frozenset({None, "yuv420p", "yuvj420p", "nv12", "yuv420p10le"})

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"


class Coder(Protocol):
    """Makes access units of the packets of one stream."""

    codec: str  # as the operator reads it: "h264", or "hevc to h264"
    copies: bool  # every packet gives its picture at once, in the packets' order

    def code(self, packet: VideoPacket, ticks: int, shown_at: float) -> Iterator[AccessUnit]:
        """Yield what this packet gives; `ticks` and `shown_at` are those of its picture."""


def open_coder(stream: av.VideoStream) -> Coder:
    """Choose the copy for H.264 4:2:0 of any profile, an encoder for all else."""
    context = stream.codec_context
    if context.name == "h264" and context.pix_fmt in _EVERYWHERE_420:
        return CopyCoder(context.extradata)
    return TranscodeCoder(context, float(stream.average_rate or 0) or 15.0)


class CopyCoder:
    """Passes H.264 on untouched, with parameter sets before every key picture."""

    codec = "h264"
    copies = True

    def __init__(self, extradata: bytes | None) -> None:
        self._reader = h264.NalReader(extradata)
        self._sets: dict[tuple[int, int], bytes] = {}
        self._remember(self._reader.header)

    def code(self, packet: VideoPacket, ticks: int, shown_at: float) -> Iterator[AccessUnit]:
        """Yield the packet's picture, if it holds one."""
        nals = self._reader.read(bytes(packet))
        if not h264.has_slice(nals):
            self._remember(nals)
            return
        types = {h264.nal_type(nal) for nal in nals}
        if types & {h264.SPS, h264.PPS}:
            self._remember(nals)
        is_key = h264.IDR in types or packet.is_keyframe
        if is_key and self._sets:
            rest = [nal for nal in nals if h264.nal_type(nal) not in {h264.SPS, h264.PPS}]
            nals = [nal for _, nal in sorted(self._sets.items())] + rest
        yield AccessUnit(tuple(nals), is_key and bool(self._sets), ticks, shown_at)

    def _remember(self, nals: list[bytes]) -> None:
        for nal in nals:
            kind = h264.nal_type(nal)
            if kind in {h264.SPS, h264.PPS}:
                self._sets[kind, h264.parameter_set_id(nal)] = nal


class TranscodeCoder:
    """Decodes whatever comes and encodes it as H.264 that every reader takes."""

    copies = False

    def __init__(self, decoder: VideoCodecContext, fps: float) -> None:
        self.codec = f"{decoder.name} to h264"
        decoder.thread_type = "SLICE"
        self._decoder = decoder
        self._encoder = PictureEncoder(fps)

    def code(self, packet: VideoPacket, ticks: int, shown_at: float) -> Iterator[AccessUnit]:
        """Yield the pictures that decoding this packet completes."""
        packet.pts, packet.time_base = ticks, Fraction(1, CLOCK_HZ)
        packet.dts = None
        try:
            frames = self._decoder.decode(packet)
        except av.error.InvalidDataError:
            return
        lead = shown_at - ticks / CLOCK_HZ
        for frame in frames:
            due = ticks if frame.pts is None else frame.pts
            yield from self._encoder.encode(frame, due, due / CLOCK_HZ + lead)


class PictureEncoder:
    """One-slice, zero-latency H.264; opened anew when the picture size changes."""

    def __init__(self, fps: float) -> None:
        self._fps = max(fps, 0.5)
        self._context: VideoCodecContext | None = None

    def encode(self, frame: VideoFrame, ticks: int, shown_at: float) -> Iterator[AccessUnit]:
        """Yield the coded picture; its parameter sets come with every key picture."""
        width, height = frame.width // 2 * 2, frame.height // 2 * 2
        context = self._context
        if context is None or (context.width, context.height) != (width, height):
            context = self._context = _open_encoder(width, height, self._fps)
        picture = frame.reformat(width, height, "yuv420p")
        picture.pts, picture.time_base = ticks, Fraction(1, CLOCK_HZ)
        picture.pict_type = 0
        for packet in context.encode(picture):
            nals = h264.split_start_codes(bytes(packet))
            nals = [nal for nal in nals if h264.nal_type(nal) != h264.SEI]  # x264's own advert
            yield AccessUnit(tuple(nals), packet.is_keyframe, ticks, shown_at)


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
