"""Cameras on a ribbon cable, through the tools of their makers (here: programs like them)."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.errors import SourceFault, SourceLost, SourceMissing, SourceStalled
from camfleet_capture.sources.packets import Coding, PacketSource
from camfleet_capture.sources.table import SourceAddress, open_source
from camfleet_capture.sources.tools.child import ChildFeed, Tool
from camfleet_capture.sources.tools.sensors import open_sensor
from camfleet_contracts.cameras import source_kind
from camfleet_contracts.capturing import Capturing
from fakes_capture import HEIGHT, WIDTH, camera_lines, capture_running, number_of, read_numbers
from fakes_tools import h264_pictures, put_tool
from waiting import wait_until

ASKED = Capturing(size=f"{WIDTH}x{HEIGHT}", frame_rate=30)
TOOLS = {"picamera:1": "rpicam-vid", "csi:1": "gst-launch-1.0"}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


@pytest.fixture
def pictures(tmp_path: Path, clip: Path) -> list[str]:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return h264_pictures(clip, folder)


@contextmanager
def opened(source: str) -> Iterator[PacketSource]:
    with closing(open_sensor(source, ASKED)) as opened:
        yield opened


def numbers_of(units: list[AccessUnit]) -> list[int]:
    decoder = av.CodecContext.create("h264", "r")
    packets = [av.Packet(unit.coded()) for unit in units]
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    return [number_of(frame) for frame in [*frames, *decoder.decode(None)]]


@pytest.mark.parametrize(("source", "tool"), TOOLS.items(), ids=TOOLS)
def test_a_sensor_is_copied_from_its_tool(
    tools: Path, pictures: list[str], source: str, tool: str
) -> None:
    put_tool(tools, tool, pictures)
    with opened(source) as sensor:
        units = sensor.units(threading.Event())
        taken = [next(units) for _ in range(8)]
    assert sensor.details.codec == "h264"
    assert numbers_of(taken) == list(range(8))
    assert all(later.ticks > earlier.ticks for earlier, later in pairwise(taken))


def test_the_tool_of_older_systems_does_as_well(tools: Path, pictures: list[str]) -> None:
    put_tool(tools, "libcamera-vid", pictures)
    with opened("picamera:1") as sensor:
        assert next(sensor.units(threading.Event())).is_key


@pytest.mark.parametrize(("source", "tool"), TOOLS.items(), ids=TOOLS)
def test_a_tool_that_is_not_installed_is_named(tools: Path, source: str, tool: str) -> None:
    with pytest.raises(SourceMissing, match=rf"{tool}.* is not installed here; sudo apt install"):
        open_source(SourceAddress(source, tools))


@pytest.mark.parametrize(
    ("mode", "fault", "reason"),
    [
        ("no camera", SourceMissing, "no cameras available.*; check the ribbon cable"),
        ("dies", SourceLost, r"the tool ended \(code 1\): ERROR: Device timeout detected"),
    ],
)
def test_what_a_tool_suffers_is_told_in_its_own_words(
    tools: Path, pictures: list[str], mode: str, fault: type[SourceFault], reason: str
) -> None:
    put_tool(tools, "rpicam-vid", pictures, mode)
    with opened("picamera:1") as sensor, pytest.raises(fault, match=reason):
        list(sensor.units(threading.Event()))


def test_a_tool_that_hangs_has_stalled(
    tools: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.sources.tools.child.STALL_LIMIT_S", 1)
    put_tool(tools, "rpicam-vid", pictures, "hangs")
    stalled = pytest.raises(SourceStalled, match="no picture for 1 s; check the ribbon cable")
    with opened("picamera:1") as sensor, stalled:
        list(sensor.units(threading.Event()))


def test_a_real_gstreamer_is_read_where_it_is_told_to_write() -> None:
    program = shutil.which("gst-launch-1.0")
    asked = ["gst-inspect-1.0", "--exists", "x264enc"]
    if program is None or subprocess.run(asked, check=False).returncode:
        pytest.skip("gst-launch-1.0 with x264enc not found; apt install gstreamer1.0-plugins-ugly")
    pipeline = f"{program} -q videotestsrc is-live=true ! video/x-raw,width=320,height=240"
    pipeline += " ! x264enc tune=zerolatency ! video/x-h264,stream-format=byte-stream ! fdsink fd="
    tool = Tool("gst", lambda descriptor: f"{pipeline}{descriptor}".split(), "install it")
    with closing(PacketSource(ChildFeed(tool), Coding("h264", 320, 240, 30))) as source:
        units = source.units(threading.Event())
        taken = [next(units) for _ in range(5)]
    assert [unit.is_key for unit in taken] == [True, False, False, False, False]


def test_a_camera_on_a_cable_comes_back_and_leaves_no_process(
    tmp_path: Path, tools: Path, pictures: list[str]
) -> None:
    put_tool(tools, "rpicam-vid", pictures, "dies")
    file = tmp_path / "cameras.yaml"
    lines = f"    capture: {{size: {WIDTH}x{HEIGHT}, frame_rate: 30}}\n"
    file.write_text(camera_lines(pi="picamera:1") + lines)
    with capture_running(file) as capture:
        lost = wait_until(lambda: capture.state("pi")["reason"], 60, "the tool died")
        put_tool(tools, "rpicam-vid", pictures)
        capture.wait_for("pi", "LIVE")
        assert read_numbers(capture.url("pi"), 3).numbers
    assert "picamera:1: the tool ended" in str(lost)
    assert not [name for name in _commands() if str(tools) in name]


def _commands() -> Iterator[str]:
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # no process, or one that has just ended
            yield (process / "cmdline").read_text(errors="replace")


@pytest.mark.parametrize(
    ("source", "kind"),
    [("picamera", "picamera"), ("picamera:1", "picamera"), ("csi:0", "csi"), ("csi", "file")],
)
def test_sensors_are_named_by_their_number(source: str, kind: str) -> None:
    assert source_kind(source) == kind
