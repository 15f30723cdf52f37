"""A V4L2 device from its driver's list of modes to pictures, and all that may go wrong with it."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.coding.decoding import open_decoder
from camfleet_capture.errors import (
    SourceFault,
    SourceLost,
    SourceMissing,
    SourceStalled,
    SourceUnreadable,
)
from camfleet_capture.sources.packets import PacketSource
from camfleet_capture.sources.v4l2.nodes import Devices, holders_of
from camfleet_capture.sources.v4l2.source import open_device
from camfleet_contracts.capturing import Capturing
from fakes_capture import HEIGHT, WIDTH, number_of
from fakes_v4l2 import METADATA, SMALL, STREAMING, FakeCamera, FakeKernel

PATH = "/dev/video0"
ASKED = Capturing(size=f"{WIDTH}x{HEIGHT}", frame_rate=30)


def devices_with(camera: FakeCamera) -> Devices:
    return Devices(Path("/nowhere"), Path("/nowhere"), FakeKernel({PATH: camera}))


@contextmanager
def opened(camera: FakeCamera, capturing: Capturing = ASKED) -> Iterator[PacketSource]:
    with closing(open_device(PATH, capturing, devices_with(camera))) as source:
        yield source


def numbers_of(units: list[AccessUnit]) -> list[int]:
    decoder = open_decoder(units[0].codec)
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit.coded()))]
    return [number_of(frame) for frame in [*frames, *decoder.decode(None)]]


def refusal_of(camera: FakeCamera) -> SourceFault:
    with pytest.raises(SourceFault) as caught, opened(camera):
        pass
    return caught.value


@pytest.mark.parametrize(
    ("camera", "codec"),
    [
        pytest.param(FakeCamera(), "mjpeg", id="MJPEG"),
        pytest.param(FakeCamera({"YUYV": SMALL}), "rawvideo to h264", id="raw"),
        pytest.param(
            FakeCamera({"YUYV": SMALL}, padding=64), "rawvideo to h264", id="padded lines"
        ),
    ],
)
def test_pictures_of_a_device_are_passed_on_in_order(camera: FakeCamera, codec: str) -> None:
    with opened(camera) as source:
        units = source.units(threading.Event())
        taken = [next(units) for _ in range(6)]
    assert source.details.codec == codec
    assert (source.details.width, source.details.height) == (WIDTH, HEIGHT)
    assert all(b == a + 1 for a, b in pairwise(numbers_of(taken)))
    assert not camera.is_streaming


def test_native_h264_is_copied(clip: Path) -> None:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        convert = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [p for q in container.demux(stream) if q.size for p in convert.filter(q)]
    coded = [bytes(packet) for packet in packets]
    camera = FakeCamera({"MJPG": SMALL, "H264": SMALL}, content=lambda number: coded[number])
    with opened(camera) as source:
        units = source.units(threading.Event())
        taken = [next(units) for _ in range(6)]
    assert source.details.codec == "h264"
    assert numbers_of(taken) == [0, 1, 2, 3, 4, 5]


def test_pictures_have_the_times_of_the_driver() -> None:
    with opened(FakeCamera()) as source:
        units = source.units(threading.Event())
        ticks = [next(units).ticks for _ in range(6)]
    assert ticks[-1] - ticks[0] == pytest.approx(5 * 3000, abs=100)


def test_broken_pictures_are_left_out() -> None:
    with opened(FakeCamera(broken_every=3)) as source:
        units = source.units(threading.Event())
        assert numbers_of([next(units) for _ in range(5)]) == [0, 1, 3, 4, 6]


def test_size_and_rate_of_cameras_yaml_are_asked_for() -> None:
    camera = FakeCamera({"MJPG": {(640, 480): [30.0], (WIDTH, HEIGHT): [30.0, 15.0, 5.0]}})
    with opened(camera, Capturing(size=f"{WIDTH}x{HEIGHT}", frame_rate=5)):
        assert camera.set_to == [("MJPG", WIDTH, HEIGHT, 5.0)]


def test_used_up_usb_bandwidth_means_less_and_is_said() -> None:
    camera = FakeCamera({"YUYV": SMALL}, fits_the_bus=lambda _, __, fps: fps < 10)
    with opened(camera) as source:
        assert next(source.units(threading.Event())).is_key
    assert camera.set_to == [("YUYV", WIDTH, HEIGHT, 5.0)]
    assert source.note
    assert (
        "USB bandwidth is used up: YUYV 320x64 at 5/s instead of YUYV 320x64 at 30/s" in source.note
    )


def test_a_refused_mode_leaves_nothing_behind_that_would_keep_the_device_busy() -> None:
    camera = FakeCamera({"YUYV": SMALL}, fits_the_bus=lambda *_: False)
    refusal_of(camera)
    assert camera.owner is None
    camera.fits_the_bus = lambda *_: True
    with opened(camera):
        assert camera.owner
    assert camera.owner is None


def test_used_up_usb_bandwidth_leads_to_mjpeg_where_there_is_such() -> None:
    large: dict[tuple[int, int], list[float]] = {(1280, 720): [30.0]}
    camera = FakeCamera(
        {"YUYV": large, "MJPG": SMALL}, fits_the_bus=lambda name, *_: name == "MJPG"
    )
    with opened(camera, Capturing(size="1280x720", frame_rate=30)) as source:
        assert camera.set_to == [("MJPG", WIDTH, HEIGHT, 30.0)]
        assert "MJPG" in str(source.note)


def test_a_bus_without_room_for_anything_says_what_to_do() -> None:
    fault = refusal_of(FakeCamera(fits_the_bus=lambda *_: False))
    assert isinstance(fault, SourceMissing)
    assert "bandwidth is used up, even for its lightest mode; plug it into another" in str(fault)


def test_a_device_in_use_names_who_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video0"
    device.touch()
    with device.open():
        own = (Path("/proc/self/comm")).read_text().strip()
        assert holders_of(str(device)) == [f"{own} (process {os.getpid()})"]
    monkeypatch.setattr(
        "camfleet_capture.sources.v4l2.device.holders_of", lambda _: ["cheese (process 7)"]
    )
    fault = refusal_of(FakeCamera(is_busy=True))
    assert str(fault) == "device /dev/video0: in use by cheese (process 7); end that first"


def test_two_cameras_of_the_file_with_one_device_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [f"camfleet-capture (process {os.getpid()})"]
    monkeypatch.setattr("camfleet_capture.sources.v4l2.device.holders_of", lambda _: own)
    assert "in use by another camera of cameras.yaml" in str(refusal_of(FakeCamera(is_busy=True)))


def test_an_unplugged_device_is_lost_and_found_again() -> None:
    camera = FakeCamera()
    with opened(camera) as source:
        units = source.units(threading.Event())
        next(units)
        camera.is_there = False
        with pytest.raises(SourceLost, match="device /dev/video0: unplugged"):
            list(units)
    assert "not there; is it plugged in?" in str(refusal_of(camera))
    camera.is_there = True
    with opened(camera) as source:
        assert next(source.units(threading.Event())).is_key


def test_a_device_that_delivers_nothing_has_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet_capture.sources.v4l2.device.STALL_LIMIT_S", 0.1)
    monkeypatch.setattr("camfleet_capture.sources.v4l2.device._WAIT_S", 0.05)
    stalled = pytest.raises(SourceStalled, match="no picture for")
    with opened(FakeCamera(is_silent=True)) as source, stalled:
        next(source.units(threading.Event()))


def test_a_silent_device_does_not_hold_up_the_end() -> None:
    stop = threading.Event()
    with opened(FakeCamera(is_silent=True)) as source:
        stop.set()
        assert list(source.units(stop)) == []


def test_a_metadata_node_is_no_camera() -> None:
    fault = refusal_of(FakeCamera(capabilities=METADATA | STREAMING))
    assert isinstance(fault, SourceUnreadable)
    assert "gives no pictures here" in str(fault)


def test_a_camera_of_raw_sensor_data_says_so() -> None:
    assert "offers no format that this build can read" in str(
        refusal_of(FakeCamera({"pBAA": SMALL}))
    )


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        pytest.param(errno.EACCES, "no permission; put the user", id="permission"),
        pytest.param(errno.EPERM, "hand the device to the container", id="container"),
        pytest.param(errno.ENXIO, "not there; is it plugged in", id="node of a gone device"),
        pytest.param(errno.EIO, "Input/output error", id="anything else"),
    ],
)
def test_refusals_of_the_kernel_are_told_apart(number: int, reason: str) -> None:
    devices = devices_with(FakeCamera())
    assert isinstance(devices.kernel, FakeKernel)
    devices.kernel.refusals[PATH] = number
    with pytest.raises(SourceFault, match=reason):
        open_device(PATH, ASKED, devices)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/dev/video77", "device /dev/video77: not there", id="no device"),
        pytest.param("/dev/zero", "device /dev/zero: is not a video device", id="another device"),
    ],
)
def test_the_real_kernel_says_the_same(path: str, reason: str) -> None:
    with pytest.raises(SourceMissing, match=reason):
        open_device(path, ASKED, Devices())


def test_rotation_and_masks_of_a_device_are_encoded() -> None:
    turned = Capturing(size=ASKED.size, frame_rate=30, rotation=90, masks=((0, 0, 1, 0.5),))
    with opened(FakeCamera(), turned) as source:
        assert source.details.codec == "mjpeg to h264 (rotated 90, masked)"
        assert (source.details.width, source.details.height) == (HEIGHT, WIDTH)
