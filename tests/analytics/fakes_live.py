"""Small H.264 clips with known content, and the parts of a camera that tests of live video feed."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from camfleet.service.live.camera import LiveCamera
from camfleet.video.frames import Frame


@dataclass(frozen=True)
class ClipPlan:
    """How a clip is made; frames hold a white square that moves along a grey ground."""

    frames: int = 30
    fps: int = 15
    size: tuple[int, int] = (320, 180)
    gop: int = 15
    b_frames: int = 0
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    container: str = "mpegts"


def square_at(number: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Corners of the square in frame `number`: it crosses the picture every 60 frames."""
    width, height = size
    side = height // 4
    left = round((number % 60) / 60 * (width - side))
    return left, height // 2 - side // 2, left + side, height // 2 + side // 2


def draw_frame(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    image = np.full((size[1], size[0], 3), (62, 74, 88), np.uint8)
    left, top, right, bottom = square_at(number, size)
    image[size[1] * 3 // 5 :] = (46, 56, 68)
    image[top:bottom, left:right] = (226, 232, 240)
    return image


def make_clip(plan: ClipPlan) -> bytes:
    """Encode the plan's frames."""
    target = io.BytesIO()
    with av.open(target, "w", format=plan.container) as container:
        options = {"bf": str(plan.b_frames), "sc_threshold": "0"}
        stream = container.add_stream(plan.codec, rate=plan.fps, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = plan.size
        stream.pix_fmt = plan.pixel_format
        stream.gop_size = plan.gop
        for number in range(plan.frames):
            frame = av.VideoFrame.from_ndarray(draw_frame(number, plan.size), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, plan.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return target.getvalue()


@dataclass(frozen=True)
class DemuxedClip:
    """A clip as a reader sees it."""

    stream: av.VideoStream
    packets: "list[av.Packet[av.VideoStream]]"

    @property
    def show_times_s(self) -> list[float]:
        """pts of all frames in the order they are shown."""
        return sorted(float(p.pts * p.time_base) for p in self.packets if p.pts is not None)


@contextmanager
def demuxed(clip: bytes) -> Iterator[DemuxedClip]:
    """The clip's stream and packets; valid inside the block."""
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        yield DemuxedClip(stream, packets)


def push_clip(camera: LiveCamera, clip: bytes) -> None:
    """One whole connection: its stream and all its packets."""
    with demuxed(clip) as source:
        camera.push_stream(source.stream)
        for packet in source.packets:
            camera.push_packet(packet)


def make_frame(number: int, size: tuple[int, int] = (320, 180), fps: int = 15) -> Frame:
    """A decoded frame, as a pipeline hands it to the live picture."""
    now = datetime.now(UTC)
    picture = av.VideoFrame.from_ndarray(draw_frame(number, size), "rgb24")
    return Frame(picture, number, number / fps, now, now, 0.0)
