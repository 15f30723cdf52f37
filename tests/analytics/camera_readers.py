"""Readers of the demo street from a real capture service, and what they hand on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from camfleet.video.frames import Frame
from camfleet.video.packets import Packet
from camfleet.video.reader import CameraReader, rtsp
from processes import Service, running
from waiting import wait_until

CAMERA = "cameras:\n  - {name: street, source: 'demo:street'}\n"


class CountingSink:
    """Counts what the reader hands on."""

    def __init__(self) -> None:
        self.streams: list[str] = []
        self.packets = self.ends = 0
        self.sizes: list[int] = []

    def push_stream(self, stream: av.VideoStream) -> None:
        self.streams.append(stream.codec_context.name)

    def push_packet(self, packet: Packet) -> None:
        self.packets += 1
        self.sizes.append(packet.size)

    def push_end(self) -> None:
        self.ends += 1


@contextmanager
def capturing(folder: Path, port: int = 0) -> Iterator[tuple[Service, int]]:
    """A capture service with the demo street, which is live; yields its RTSP port."""
    file = folder / "cameras.yaml"
    file.write_text(CAMERA)
    ports = ["--rtsp-port", str(port), "--http-port", "0"]
    state = {"CAMFLEET_STATE": str(folder / "state")}
    with running("camfleet-capture", "--cameras", str(file), *ports, env=state) as service:
        found = service.logged(r"rtsp=[\d.]+:(\d+)")
        service.logged("camera live")
        yield service, int(found[1])


@contextmanager
def reading(
    port: int, sink: CountingSink, path: str = "street", *, real_time: bool = True
) -> Iterator[CameraReader]:
    opening = rtsp(lambda: f"rtsp://127.0.0.1:{port}/{path}")
    reader = CameraReader("street", opening, sink, taking="newest" if real_time else "every")
    reader.start()
    try:
        yield reader
    finally:
        reader.stop(10)


def next_frame(reader: CameraReader) -> Frame:
    return wait_until(lambda: reader.slot.take(0.1), 60, "a frame")
