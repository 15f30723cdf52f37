"""What the machine of the script has, for scripts that choose their engine by it.

A model server may be elsewhere: what it has is said by `camfleet doctor` and by `engine` and
`accelerator` of a service after load().
"""

from pathlib import Path

_ROOT = Path("/")
_NCS_VENDOR = 0x03E7
_NCS1_PRODUCTS, _NCS2_PRODUCTS = (0x2150, 0xF63B), (0x2485,)


def is_jetson() -> bool:
    """Whether this is an NVIDIA Jetson: by its board's name, in a container by its devices."""
    return "nvidia,tegra" in _board() or any((_ROOT / "dev").glob("nvhost-*"))


def is_jetson_xavier_nx() -> bool:
    """Whether this is a Jetson Xavier NX."""
    return "p3668" in _board()  # NVIDIA's number of the module, here and below


def is_jetson_agx_xavier() -> bool:
    """Whether this is a Jetson AGX Xavier."""
    return "p2888" in _board()


def is_jetson_agx_orin() -> bool:
    """Whether this is a Jetson AGX Orin."""
    return "p3701" in _board()


def is_jetson_orin_nx() -> bool:
    """Whether this is a Jetson Orin NX; an Orin Nano has its number, and other variants of it."""
    return any(variant in _board() for variant in ("p3767-0000", "p3767-0001"))


def find_nvidia_gpu() -> bool:
    """Whether NVIDIA's driver shows a GPU here; False on a Jetson, whose driver is another."""
    folder = _ROOT / "proc" / "driver" / "nvidia" / "gpus"
    return folder.is_dir() and any(folder.iterdir())


def is_opencv_cuda_available() -> bool:
    """Whether the OpenCV of this environment computes with CUDA; that of our images does not."""
    import cv2  # noqa: PLC0415 - slow to import

    return bool(cv2.cuda.getCudaEnabledDeviceCount() > 0)


def find_usb_device(id_vendor: int, id_product: int) -> bool:
    """Whether a USB device with these numbers is plugged in."""
    wanted = (f"{id_vendor:04x}", f"{id_product:04x}")
    devices = (_ROOT / "sys" / "bus" / "usb" / "devices").glob("*/idVendor")
    return any((_text(path), _text(path.with_name("idProduct"))) == wanted for path in devices)


def find_ncs1() -> bool:
    """Whether a first Neural Compute Stick is plugged in; no engine here can use it."""
    return any(find_usb_device(_NCS_VENDOR, product) for product in _NCS1_PRODUCTS)


def find_ncs2() -> bool:
    """Whether a Neural Compute Stick 2 is plugged in; no engine here can use it."""
    return any(find_usb_device(_NCS_VENDOR, product) for product in _NCS2_PRODUCTS)


def _board() -> str:
    return _text(_ROOT / "proc" / "device-tree" / "compatible")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
