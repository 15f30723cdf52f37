"""Cameras on a ribbon cable, through the tools of their makers: H.264 by their own encoders."""

import shutil

from camfleet_capture.alteration import alteration_of
from camfleet_capture.errors import SourceMissing
from camfleet_capture.sources.packets import Coding, PacketSource
from camfleet_capture.sources.tools.child import ChildFeed, Tool
from camfleet_capture.sources.v4l2.source import wish_of
from camfleet_contracts.capturing import Capturing

_GROUP_S = 1.5


def open_sensor(source: str, capturing: Capturing) -> PacketSource:
    """Open `picamera`, `picamera:N` or `csi:N`.

    Raises:
        SourceMissing: its tool is not installed, or finds no camera.
    """
    kind, _, number = source.partition(":")
    wish = wish_of(capturing)
    coding = Coding("h264", wish.width, wish.height, wish.fps)
    make_tool = _pi_tool if kind == "picamera" else _jetson_tool
    feed = ChildFeed(make_tool(source, int(number or 0), coding))
    return PacketSource(feed, coding, alteration_of(capturing))


def _pi_tool(label: str, number: int, coding: Coding) -> Tool:
    """Return Raspberry Pi's rpicam-vid (libcamera-vid before 2024)."""
    program = _find(label, ("rpicam-vid", "libcamera-vid"), "sudo apt install rpicam-apps-lite")
    arguments = {
        "--camera": number,
        "--width": coding.width,
        "--height": coding.height,
        "--framerate": f"{coding.fps:g}",
        "--codec": "h264",
        "--intra": max(1, round(coding.fps * _GROUP_S)),
        "--timeout": 0,
        "--output": "-",
    }
    spelled = [str(part) for pair in arguments.items() for part in pair]
    command = [program, *spelled, "--verbose=0", "--nopreview", "--inline", "--flush"]
    advice = "check the ribbon cable; `rpicam-hello --list-cameras` must list it"
    return Tool(label, lambda _: command, advice, uses_stdout=True)


def _jetson_tool(label: str, number: int, coding: Coding) -> Tool:
    """Return GStreamer with NVIDIA's camera and encoder, which talk on standard output."""
    program = _find(label, ("gst-launch-1.0",), "sudo apt install gstreamer1.0-tools")
    rate = f"{round(coding.fps * 1000)}/1000"
    raw = f"video/x-raw(memory:NVMM),width={coding.width},height={coding.height},framerate={rate}"
    group = max(1, round(coding.fps * _GROUP_S))
    pipeline = (
        f"nvarguscamerasrc sensor-id={number} ! {raw},format=NV12"
        f" ! nvv4l2h264enc insert-sps-pps=true iframeinterval={group} idrinterval=1"
        " ! video/x-h264,stream-format=byte-stream,alignment=au"
    )
    advice = "check the ribbon cable, and that nvargus-daemon runs and is handed into the container"
    return Tool(
        label,
        lambda descriptor: [
            program, "-q", *pipeline.split(), "!", "fdsink", f"fd={descriptor}", "sync=false",
        ],
        advice,
    )  # fmt: skip


def _find(label: str, programs: tuple[str, ...], way: str) -> str:
    found = next((path for name in programs if (path := shutil.which(name))), None)
    if found is None:
        raise SourceMissing(f"{label}: {' or '.join(programs)} is not installed here; {way}")
    return found
