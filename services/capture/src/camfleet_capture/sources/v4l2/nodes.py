"""Which video devices there are, where they are plugged in, and who holds one."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from camfleet_capture.errors import SourceMissing
from camfleet_capture.sources.v4l2.kernel import Kernel, LinuxKernel
from camfleet_capture.sources.v4l2.modes import Capability, read_capability

_NODE = re.compile(r"video\d+")
# Bus-port.port:configuration.interface, e.g. 1-2.4:1.0
_USB_INTERFACE = re.compile(r"\d+-(\d+(?:\.\d+)*):\d+\.\d+")
# Their capture nodes give raw sensor data or process memory: no picture without libcamera.
_PARTS_OF_PIPELINES = frozenset({"unicam", "bcm2835-isp", "bcm2835-codec", "rp1-cfe", "pispbe"})

_GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.ENOTTY})

MakeNode = Callable[[Path, int, int], None]


@dataclass(frozen=True, slots=True)
class Node:
    """A video device that takes pictures.

    Attributes:
        path: what to open now; another number after a replugging, maybe.
        place: where it is plugged in, the same after a replugging or a restart.
        card: what the device calls itself.
    """

    path: str
    place: str
    card: str


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of this machine, as the kernel shows them.

    The kernel's list is in sysfs; in a container /dev is a copy from its start, in which later
    devices are missing: their nodes are made here, where that is permitted.
    """

    dev: Path = Path("/dev")
    listed: Path = Path("/sys/class/video4linux")
    kernel: Kernel = field(default_factory=LinuxKernel)
    make_node: MakeNode = os.mknod

    def find(self) -> list[Node]:
        """Return every device that takes pictures, by its place."""
        self.provide_nodes()
        found = [node for name in self._names() if (node := self._look_at(name))]
        return sorted(found, key=lambda node: node.place)

    def signature(self) -> object:
        """Return what changes when a device comes or goes, without opening one."""
        may = os.R_OK | os.W_OK
        return [
            (name, os.path.realpath(self.listed / name / "device"), os.access(self.dev / name, may))
            for name in sorted(self._names())
        ]

    def find_at(self, place: str) -> Node:
        """Return the device that is plugged in at a place.

        Raises:
            SourceMissing: there is none now.
        """
        node = next((node for node in self.find() if node.place == place), None)
        if node is None:
            raise SourceMissing(f"camera at {place}: unplugged; plug it in at the same place again")
        return node

    def _names(self) -> set[str]:
        names = {entry.name for folder in (self.listed, self.dev) for entry in _entries(folder)}
        return {name for name in names if _NODE.fullmatch(name)}

    def _look_at(self, name: str) -> Node | None:
        if self.listed.is_dir() and not (self.listed / name).exists():
            return None  # a node that was left over from a device that is gone
        path = self.dev / name
        index = _text_of(self.listed / name / "index") or "0"
        try:
            capability = self._capability(str(path))
        except OSError as error:
            if error.errno in _GONE or index != "0":
                return None
            capability = Capability("", "", "", takes_pictures=True)  # opening it will say why
        if not capability.takes_pictures or capability.driver in _PARTS_OF_PIPELINES:
            return None
        place = place_of(self._where(name, capability))
        return Node(str(path), place if index == "0" else f"{place}-{index}", capability.card)

    def provide_nodes(self) -> None:
        """Make the nodes of all devices that the kernel lists, as far as we may."""
        for name in self._names():
            self.provide_node(self.dev / name)

    def provide_node(self, path: Path) -> None:
        """Make the node of a device that the kernel lists, if it has none here and we may."""
        if not path.exists() and (number := _text_of(self.listed / path.name / "dev")):
            major, minor = number.split(":")
            with suppress(OSError):  # not permitted: opening says that there is no node
                self.make_node(path, stat.S_IFCHR | 0o660, os.makedev(int(major), int(minor)))

    def is_listed(self, path: str) -> bool:
        """Tell whether the kernel knows a device of this name."""
        return (self.listed / Path(path).name).exists()

    def _capability(self, path: str) -> Capability:
        descriptor = self.kernel.open(path)
        try:
            return read_capability(self.kernel, descriptor)
        finally:
            self.kernel.close(descriptor)

    def _where(self, name: str, capability: Capability) -> str:
        target = self.listed / name / "device"
        return os.path.realpath(target) if target.exists() else f"{capability.bus}/{name}"


def place_of(device_path: str) -> str:
    """Return a short stable name of a place in the tree of devices.

    It is the USB port and a digest of the whole path to it, e.g. `1-2-9c0e`, or the digest alone.
    Bus numbers are given in the order of discovery, so they are left out; the controller is not.
    """
    steady = re.sub(r"/usb\d+/", "/usb/", re.sub(r"(?<=/)\d+-(?=\d)", "", device_path))
    digest = hashlib.sha256(steady.encode()).hexdigest()[:4]
    ports = _USB_INTERFACE.fullmatch(device_path.rpartition("/")[2])
    return f"{ports[1].replace('.', '-')}-{digest}" if ports else digest


def holders_of(path: str, processes: Path = Path("/proc")) -> list[str]:
    """Name who has a device open, as far as this process may see."""
    device, found = os.path.realpath(path), []
    for process in _entries(processes):
        if not process.name.isdecimal():
            continue
        with suppress(OSError):
            links = [os.path.realpath(link) for link in (process / "fd").iterdir()]
            if device in links:
                command = (process / "comm").read_text().strip()
                found.append(f"{command} (process {process.name})")
    return found


def _text_of(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:  # not there
        return ""


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # not there: no device of this kind
        return []
