"""`source: auto`: every camera that is plugged in, now or later, by where it is plugged in."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from camfleet_capture.errors import SourceMissing
from camfleet_capture.plugged_in import PluggedIn
from camfleet_capture.sources.v4l2.nodes import place_of
from camfleet_capture.sources.v4l2.source import open_device
from camfleet_contracts.capturing import Capturing
from fakes_capture import RunningCapture, camera_lines, capture_running, read_numbers
from fakes_v4l2 import METADATA, STREAMING, FakeBus, FakeCamera
from waiting import wait_until


@pytest.fixture
def bus(tmp_path: Path) -> FakeBus:
    folder = tmp_path / "machine"
    folder.mkdir()
    return FakeBus(folder)


@contextmanager
def running(tmp_path: Path, bus: FakeBus, **sources: str) -> Iterator[RunningCapture]:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(**sources))
    with capture_running(file, devices=bus.devices) as capture:
        yield capture


def names(capture: RunningCapture) -> list[str]:
    return [camera["name"] for camera in capture.get("/cameras").json()["cameras"]]


def wait_for_another(capture: RunningCapture) -> str:
    """Return the first camera's name as soon as it is not the entry's."""
    wait_until(lambda: names(capture) not in (["usb"], []), 60, "a camera")
    return names(capture)[0]


def wait_for_names(capture: RunningCapture, count: int) -> list[str]:
    wait_until(lambda: len(names(capture)) == count, 60, f"{count} cameras")
    return names(capture)


def test_every_camera_is_shown_and_told_apart_by_its_port(tmp_path: Path, bus: FakeBus) -> None:
    for number, port in enumerate(("1-1", "1-2", "1-3.1", "1-3.2")):
        bus.plug(number, port, FakeCamera())
        bus.with_node(number)
    with running(tmp_path, bus, usb="auto") as capture:
        found = wait_for_names(capture, 4)
        states = [capture.wait_for(name, "LIVE") for name in found]
        assert read_numbers(capture.url(found[3]), 3).numbers
        assert read_numbers(capture.url("usb"), 3).numbers  # the first one that is live
    assert [name[:-5] for name in found] == ["usb-1", "usb-2", "usb-3-1", "usb-3-2"]
    assert {state["entry"] for state in states} == {"usb"}


def test_a_camera_that_is_plugged_in_later_appears(tmp_path: Path, bus: FakeBus) -> None:
    with running(tmp_path, bus, usb="auto") as capture:
        assert "plug one in" in capture.wait_for("usb", "FAILED")["reason"]
        bus.plug(0, "1-1", FakeCamera())
        bus.with_node(0)
        capture.wait_for(wait_for_another(capture), "LIVE")


def test_an_unplugged_camera_keeps_its_name_under_another_number(
    tmp_path: Path, bus: FakeBus
) -> None:
    camera = bus.plug(0, "1-1", FakeCamera())
    bus.plug(1, "1-2", FakeCamera())
    for number in range(2):
        bus.with_node(number)
    with running(tmp_path, bus, usb="auto") as capture:
        first, second = wait_for_names(capture, 2)
        capture.wait_for(first, "LIVE")
        bus.unplug(0)
        assert "unplugged" in capture.wait_for(first, "FAILED")["reason"]
        assert capture.wait_for(second, "LIVE")["reconnects"] == 0
        bus.plug(5, "1-1", camera)
        bus.with_node(5)
        assert capture.wait_for(first, "LIVE")["reconnects"] >= 1
        assert names(capture) == [first, second]


def test_devices_that_another_entry_names_are_left_to_it(tmp_path: Path, bus: FakeBus) -> None:
    for number, port in enumerate(("1-1", "1-2")):
        bus.plug(number, port, FakeCamera())
        bus.with_node(number)
    by_path = tmp_path / "pci-usb-0:1-video-index0"
    by_path.symlink_to(bus.path(0))
    plugged_in = PluggedIn(bus.devices)
    plugged_in.look()
    (name,) = plugged_in.names_of("others", [str(by_path)])
    assert name.startswith("others-2-")


def test_a_device_is_opened_by_its_fixed_name_whatever_its_number(
    tmp_path: Path, bus: FakeBus
) -> None:
    by_path, camera = tmp_path / "pci-usb-0:1-video-index0", FakeCamera()
    for number in (0, 5):
        bus.plug(number, "1-1", camera)
        bus.with_node(number)
        by_path.unlink(missing_ok=True)
        by_path.symlink_to(bus.path(number))
        with closing(open_device(str(by_path), Capturing(), bus.devices)) as source:
            assert next(source.units(threading.Event())).is_key
        bus.unplug(number)
        with pytest.raises(SourceMissing, match="not there; is it plugged in"):
            open_device(str(by_path), Capturing(), bus.devices)


def test_metadata_nodes_and_parts_of_camera_pipelines_are_no_cameras(bus: FakeBus) -> None:
    bus.plug(0, "1-1", FakeCamera())
    bus.plug(1, "1-2", FakeCamera(capabilities=METADATA | STREAMING))
    bus.plug(2, "1-3", FakeCamera(driver="bcm2835-isp"))
    assert [node.path for node in bus.devices.find()] == [bus.path(0)]


def test_a_device_without_a_node_in_this_container_gets_one(bus: FakeBus) -> None:
    bus.plug(0, "1-1", FakeCamera())
    assert [node.path for node in bus.devices.find()] == [bus.path(0)]
    assert bus.made == ["video0"]


def test_a_node_that_outlived_its_device_is_no_camera(bus: FakeBus) -> None:
    bus.with_node(3)
    assert bus.devices.find() == []


def test_a_device_whose_node_may_not_be_made_says_so(tmp_path: Path, bus: FakeBus) -> None:
    bus.plug(0, "1-1", FakeCamera())
    bus.refuses_nodes = True
    with running(tmp_path, bus, usb="auto") as capture:
        reason = capture.wait_for(wait_for_another(capture), "FAILED")["reason"]
    assert "the kernel has it, but this container has no node of it" in reason


def test_two_pictures_nodes_of_one_camera_are_two_cameras(bus: FakeBus) -> None:
    bus.plug(0, "1-1", FakeCamera())
    bus.plug(1, "1-1", FakeCamera(), index=1)
    first, second = bus.devices.find()
    assert second.place == f"{first.place}-1"


def test_nothing_is_opened_while_nothing_changes(bus: FakeBus) -> None:
    bus.plug(0, "1-1", FakeCamera())
    plugged_in = PluggedIn(bus.devices)
    assert plugged_in.look()
    opened = bus.kernel.opened
    assert not plugged_in.look()
    assert bus.kernel.opened == opened


def test_a_place_keeps_its_name_whatever_number_the_bus_gets() -> None:
    path = "/sys/devices/pci0000:00/0000:00:14.0/usb{0}/{0}-2/{0}-2.1/{0}-2.1:1.0"
    assert place_of(path.format(1)) == place_of(path.format(3))
    assert place_of(path.format(1)).startswith("2-1-")
    assert place_of(path.format(1).replace("14.0", "15.0")) != place_of(path.format(1))


def test_a_place_without_a_device_says_so(bus: FakeBus) -> None:
    with pytest.raises(SourceMissing, match="camera at 2-1-abcd: unplugged"):
        bus.devices.find_at("2-1-abcd")
