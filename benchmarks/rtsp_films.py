"""Films of noise whose pictures tell their number (modulo DRAWN) in bars along the upper edge."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT, FPS, BITS = 1280, 720, 15, 12
_BAR = WIDTH // BITS
DRAWN = 60  # pictures drawn and coded; they are repeated


def picture(number: int, chance: np.random.Generator) -> NDArray[np.uint8]:
    """Draw noise and the number."""
    noise = chance.normal(128, 12, (HEIGHT // 2, WIDTH // 2, 1)).clip(0, 255).astype(np.uint8)
    image = np.repeat(noise.repeat(2, 0).repeat(2, 1), 3, 2)
    bars = [(number >> bit) & 1 for bit in reversed(range(BITS))]
    image[:64, : BITS * _BAR] = np.repeat(np.array(bars, np.uint8) * 200 + 20, _BAR)[None, :, None]
    return image


def number_of(frame: VideoFrame) -> int:
    """Read the number of a picture again."""
    bars = frame.to_ndarray()[16:48, : BITS * _BAR].reshape(32, BITS, _BAR).mean(axis=(0, 2)) > 128
    return int("".join("1" if bar else "0" for bar in bars), 2)


def write_h264(path: Path, seconds: int) -> Path:
    """720p15 at about 2.5 Mb/s, a key picture every 2 s, no B pictures."""
    chance = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        params = "keyint=30:min-keyint=30:scenecut=0:bitrate=2500:vbv-maxrate=2500:vbv-bufsize=2500"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": params}
        frames = [
            VideoFrame.from_ndarray(picture(number, chance), format="rgb24").reformat(
                format="yuv420p"
            )
            for number in range(DRAWN)
        ]
        for number in range(seconds * FPS):
            frame = frames[number % DRAWN]
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            frame.pict_type = 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_mjpeg(path: Path, seconds: int) -> Path:
    """720p15 as a webcam codes it (4:2:2, usual codes), some 60 KB a picture."""
    chance = np.random.default_rng(7)
    jpegs = []
    for number in range(DRAWN):
        buffer = io.BytesIO()
        Image.fromarray(picture(number, chance)).save(buffer, "JPEG", quality=30, subsampling=1)
        jpegs.append(buffer.getvalue())
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj422p"
        for number in range(seconds * FPS):
            packet = av.Packet(jpegs[number % DRAWN])
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, FPS), stream
            container.mux(packet)
    return path
