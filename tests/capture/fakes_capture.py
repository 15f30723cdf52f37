"""Clips whose pictures carry their number, a capture service in a thread, and a reader of it."""

import asyncio
import io
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from camfleet_capture.service import CaptureOptions, serve
from camfleet_capture.sources.v4l2.nodes import Devices
from camfleet_contracts.settings import FleetSettings
from waiting import wait_until

BITS, BAR = 10, 32
LENGTH, FPS = 30, 30  # of clips that say nothing else: pictures, pictures per second
WIDTH, HEIGHT = BITS * BAR, 64


def numbered_picture(number: int) -> NDArray[np.uint8]:
    """Draw `number` as ten vertical bars, the highest bit first."""
    bars = [(number >> bit) & 1 for bit in reversed(range(BITS))]
    row = np.repeat(np.array(bars, dtype=np.uint8) * 200 + 20, BAR)
    return np.repeat(np.tile(row, (HEIGHT, 1))[:, :, None], 3, axis=2)


def number_of(frame: VideoFrame) -> int:
    """Read the number of a picture again."""
    grey = frame.to_ndarray(format="gray")
    bars = grey[:, :WIDTH].reshape(-1, BITS, BAR).mean(axis=(0, 2)) > 128
    return int("".join("1" if bar else "0" for bar in bars), 2)


def write_clip(
    path: Path,
    *,
    pictures: int = LENGTH,
    fps: int = FPS,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    group: int = 15,
    b_frames: int = 0,
    slices: int = 1,
    huffman: str = "default",
    open_groups: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """Encode numbered pictures 0, 1, 2 ... into a container chosen by the suffix."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.thread_count = 1
        if codec in {"libx264", "libx265"}:
            params = f"keyint={group}:min-keyint={group}:scenecut=0:bframes={b_frames}:b-adapt=0"
            params += f":slices={slices}" if slices > 1 else ""
            params += ":open-gop=1" if open_groups else ""
            extra = ":log-level=none" if codec == "libx265" else ""
            name = codec.removeprefix("lib") + "-params"
            stream.options = {"preset": "veryfast", name: params + extra}
        if codec == "mjpeg":
            stream.options = {"huffman": huffman}
        for number in range(pictures):
            frame = VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            frame = frame.reformat(*size)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_webcam_clip(path: Path, sampling: int = 1) -> Path:
    """Write numbered pictures as MJPEG the way webcams code it; sampling 1 is 4:2:2, 2 is 4:2:0."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj422p"
        for number in range(LENGTH):
            buffer = io.BytesIO()
            picture = Image.fromarray(numbered_picture(number))
            picture.save(buffer, "JPEG", quality=90, subsampling=sampling)
            packet = av.Packet(buffer.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, FPS), stream
            container.mux(packet)
    return path


def camera_lines(**sources: str) -> str:
    """Return cameras.yaml with these cameras; underscores become dashes."""
    entries = [
        f"  - name: {name.replace('_', '-')}\n    source: {source}\n"
        for name, source in sources.items()
    ]
    return "version: 1\ncameras:\n" + "".join(entries)


@dataclass
class RunningCapture:
    """A capture service that serves on loopback."""

    rtsp_port: int
    http_port: int
    file: Path
    state_dir: Path
    bind: str = "127.0.0.1"

    def url(self, path: str, user_info: str = "") -> str:
        return f"rtsp://{user_info}127.0.0.1:{self.rtsp_port}/{path}"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.http_port}{path}", timeout=60)

    def state(self, camera: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/cameras/{camera}").json()
        return answer

    def wait_for(self, camera: str, state: str, timeout_s: float = 60) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            current = self.state(camera)
            return current if current.get("state") == state else None

        return wait_until(reached, timeout_s, f"camera {camera} {state}")


@contextmanager
def capture_running(
    file: Path,
    *,
    bind: str = "127.0.0.1",
    environment: Mapping[str, str] | None = None,
    devices: Devices | None = None,
    **settings: Any,
) -> Iterator[RunningCapture]:
    """Run the service on an event loop of its own until the block ends."""
    fleet = FleetSettings(state_dir=file.parent / "state", **settings)
    options = CaptureOptions(fleet, file, bind, 0, 0, environment or {}, devices or Devices())
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def run() -> None:
        async with serve(options) as (rtsp_port, http_port):
            ports.extend((rtsp_port, http_port))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), name="capture-loop")
    thread.start()
    try:
        wait_until(lambda: ready.is_set() or not thread.is_alive(), 60, "capture listens")
        yield RunningCapture(ports[0], ports[1], file, fleet.state_dir, bind)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


@dataclass
class Seen:
    """What a reader saw."""

    numbers: list[int] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)


def reading_options(transport: str = "tcp", agent: str = "test") -> dict[str, str]:
    return {
        "rtsp_transport": transport,
        "user_agent": agent,
        "analyzeduration": "100000",
        "fpsprobesize": "0",
    }


def read_numbers(url: str, count: int, transport: str = "tcp", agent: str = "test") -> Seen:
    """Decode `count` pictures with PyAV; note their numbers and times."""
    seen = Seen()
    with av.open(url, options=reading_options(transport, agent), timeout=(60, 60)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for frame in container.decode(stream):
            seen.numbers.append(number_of(frame))
            seen.times_s.append(float(frame.time or 0))
            if len(seen.numbers) >= count:
                break
    return seen


def read_with_wall_times(url: str, count: int, agent: str) -> list[tuple[VideoFrame, float]]:
    """Decode `count` pictures; return those whose wall time the sender's reports tell, with it."""
    walls: dict[int | None, float] = {}
    frames: list[VideoFrame] = []
    with av.open(url, options=reading_options(agent=agent), timeout=(60, 60)) as container:
        for packet in container.demux(video=0):
            if packet.has_sidedata("prft"):
                report: Any = packet.get_sidedata("prft")
                walls[packet.pts] = struct.unpack("<q", bytes(report)[:8])[0] / 1e6
            frames += packet.decode()
            if len(frames) >= count:
                break
    return [(frame, walls[frame.pts]) for frame in frames if frame.pts in walls]


def publishing_lines(source: Path, to: str, more: str = "") -> str:
    return camera_lines(door=str(source)) + f"    publish_to: {to}\n{more}"


def published(capture: RunningCapture, state: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        current: dict[str, Any] = capture.state("door").get("publishing") or {}
        return current if current.get("state") == state and has_reason(current) else None

    return wait_until(reached, 60, f"door {state}")


def has_reason(state: dict[str, Any]) -> bool:
    return state["state"] == "PUBLISHING" or bool(state["reason"])
