"""What scripts ask of their machine before they choose an engine."""

from pathlib import Path

import pytest

import camfleet
from camfleet import this_machine
from camfleet._trt_support import is_trt_supported_system


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine, whose kernel's files a test writes."""
    monkeypatch.setattr(this_machine, "_ROOT", tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def plug_in(root: Path, port: str, vendor: str, product: str) -> None:
    device = root / "sys" / "bus" / "usb" / "devices" / port
    write(device / "idVendor", f"{vendor}\n")
    write(device / "idProduct", f"{product}\n")


@pytest.mark.parametrize(
    ("board", "known"),
    [
        ("nvidia,p3509-0000+p3668-0000\0nvidia,tegra194\0", {"jetson", "jetson_xavier_nx"}),
        ("nvidia,p2822-0000+p2888-0004\0nvidia,tegra194\0", {"jetson", "jetson_agx_xavier"}),
        ("nvidia,p3737-0000+p3701-0005\0nvidia,tegra234\0", {"jetson", "jetson_agx_orin"}),
        ("nvidia,p3768-0000+p3767-0000\0nvidia,tegra234\0", {"jetson", "jetson_orin_nx"}),
        ("nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0", {"jetson"}),  # an Orin Nano
        ("nvidia,p3450-0000\0nvidia,jetson-nano\0nvidia,tegra210\0", {"jetson"}),
        ("raspberrypi,4-model-b\0brcm,bcm2711\0", set()),
    ],
)
def test_a_jetson_is_known_by_its_board(root: Path, board: str, known: set[str]) -> None:
    write(root / "proc" / "device-tree" / "compatible", board)
    asked = {name for name in dir(camfleet) if name.startswith("is_jetson")}
    assert {name for name in asked if getattr(camfleet, name)()} == {f"is_{one}" for one in known}
    assert is_trt_supported_system() == bool(known)


def test_a_jetson_is_known_in_a_container_by_its_devices(root: Path) -> None:
    write(root / "dev" / "nvhost-ctrl", "")
    assert camfleet.is_jetson()


def test_a_gpu_is_known_by_its_driver(root: Path) -> None:
    assert not camfleet.find_nvidia_gpu()
    write(root / "proc" / "driver" / "nvidia" / "gpus" / "0000:01:00.0" / "information", "Model")
    assert camfleet.find_nvidia_gpu()


def test_usb_devices_are_found_by_their_numbers(root: Path) -> None:
    assert not camfleet.find_usb_device(0x046D, 0x0825)
    plug_in(root, "1-2", "046d", "0825")
    assert camfleet.find_usb_device(0x046D, 0x0825)
    assert not camfleet.find_usb_device(0x046D, 0x0826)


def test_sticks_are_told_apart(root: Path) -> None:
    plug_in(root, "1-1", "03e7", "2485")
    assert (camfleet.find_ncs1(), camfleet.find_ncs2()) == (False, True)
    plug_in(root, "1-3", "03e7", "2150")
    assert camfleet.find_ncs1()


def test_the_opencv_of_this_environment_has_no_cuda() -> None:
    assert not camfleet.is_opencv_cuda_available()
