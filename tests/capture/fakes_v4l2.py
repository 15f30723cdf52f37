"""Cameras at the kernel's border, written from linux/videodev2.h with ctypes: no real one needed.

The structures here are spelled a second time on purpose, so that a slip in the service shows.
"""

import ctypes
import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from camfleet_capture.sources.v4l2.nodes import Devices
from fakes_capture import HEIGHT, WIDTH, numbered_picture
from fakes_mjpeg import jpeg_of

T = TypeVar("T")
U32, U8 = ctypes.c_uint32, ctypes.c_uint8
PICTURES, METADATA, STREAMING, DEVICE_CAPS = 0x1, 0x00800000, 0x04000000, 0x80000000


class Capability(ctypes.Structure):
    _fields_ = [
        ("driver", U8 * 16), ("card", U8 * 32), ("bus_info", U8 * 32), ("version", U32),
        ("capabilities", U32), ("device_caps", U32), ("reserved", U32 * 3),
    ]  # fmt: skip


class FormatDescription(ctypes.Structure):
    _fields_ = [
        ("index", U32), ("type", U32), ("flags", U32), ("description", U8 * 32),
        ("pixelformat", U32), ("mbus_code", U32), ("reserved", U32 * 3),
    ]  # fmt: skip


class FrameSize(ctypes.Structure):
    _fields_ = [
        ("index", U32), ("pixel_format", U32), ("type", U32), ("values", U32 * 6),
        ("reserved", U32 * 2),
    ]  # fmt: skip


class FrameInterval(ctypes.Structure):
    _fields_ = [
        ("index", U32), ("pixel_format", U32), ("width", U32), ("height", U32), ("type", U32),
        ("values", U32 * 6), ("reserved", U32 * 2),
    ]  # fmt: skip


class PixFormat(ctypes.Structure):
    _fields_ = [
        ("width", U32), ("height", U32), ("pixelformat", U32), ("field", U32),
        ("bytesperline", U32), ("sizeimage", U32), ("rest", U32 * 6),
    ]  # fmt: skip


class Format(ctypes.Structure):
    class Union(ctypes.Union):
        _fields_ = [("pix", PixFormat), ("raw", U8 * 200), ("align", ctypes.c_void_p)]

    _fields_ = [("type", U32), ("fmt", Union)]


class StreamParameters(ctypes.Structure):
    _fields_ = [
        ("type", U32), ("capability", U32), ("capturemode", U32), ("numerator", U32),
        ("denominator", U32), ("extendedmode", U32), ("readbuffers", U32), ("rest", U8 * 176),
    ]  # fmt: skip


class RequestBuffers(ctypes.Structure):
    _fields_ = [
        ("count", U32), ("type", U32), ("memory", U32), ("capabilities", U32), ("flags", U8),
        ("reserved", U8 * 3),
    ]  # fmt: skip


class Buffer(ctypes.Structure):
    class Union(ctypes.Union):
        _fields_ = [("offset", U32), ("userptr", ctypes.c_ulong), ("planes", ctypes.c_void_p)]

    _fields_ = [
        ("index", U32), ("type", U32), ("bytesused", U32), ("flags", U32), ("field", U32),
        ("seconds", ctypes.c_long), ("micros", ctypes.c_long), ("timecode", U8 * 16),
        ("sequence", U32), ("memory", U32), ("m", Union), ("length", U32), ("reserved2", U32),
        ("request_fd", ctypes.c_int32),
    ]  # fmt: skip


def code_of(four: str) -> int:
    return sum(ord(letter) << 8 * place for place, letter in enumerate(four))


def mjpeg_of(number: int) -> bytes:
    return jpeg_of(number % 1000)


def yuyv_of(number: int, padding: int = 0) -> bytes:
    """A raw picture, each line followed by `padding` bytes of the driver's."""
    grey = numbered_picture(number % 1000)[:, :, 0]
    lines = bytearray()
    for line in grey:
        for value in line:
            lines += bytes((value, 128))
        lines += b"\xff" * padding
    return bytes(lines)


Modes = dict[str, dict[tuple[int, int], list[float]]]
SMALL: dict[tuple[int, int], list[float]] = {(WIDTH, HEIGHT): [30.0, 15.0, 5.0]}


@dataclass
class FakeCamera:
    """A camera; its fields may be changed while it streams."""

    modes: Modes = field(default_factory=lambda: {"MJPG": SMALL})
    card: str = "Webcam"
    driver: str = "uvcvideo"
    capabilities: int = PICTURES | STREAMING
    padding: int = 0
    is_there: bool = True
    is_busy: bool = False
    is_silent: bool = False
    broken_every: int = 0  # of so many pictures one has the error flag
    fits_the_bus: Callable[[str, int, float], bool] = lambda _format, _width, _fps: True
    content: Callable[[int], bytes] | None = None
    set_to: list[tuple[str, int, int, float]] = field(default_factory=list)
    buffers: int = 0
    owner: int | None = None  # the descriptor that has buffers; all others are refused
    is_streaming: bool = False
    queued: list[int] = field(default_factory=list)
    number: int = 0
    due: float = 0.0
    format: tuple[str, int, int] = ("", 0, 0)
    fps: float = 30.0

    def picture(self) -> bytes:
        if self.content:
            return self.content(self.number)
        is_raw = self.format[0] == "YUYV"
        return yuyv_of(self.number, self.padding) if is_raw else mjpeg_of(self.number)


class FakeKernel:
    """The `Kernel` of these cameras, by path."""

    def __init__(self, cameras: dict[str, FakeCamera], *, needs_nodes: bool = False) -> None:
        self.cameras, self._needs_nodes = cameras, needs_nodes
        self.opened = 0
        self.refusals: dict[str, int] = {}  # paths and the errno of opening them
        self._open: dict[int, FakeCamera] = {}
        self._memory: dict[tuple[int, int], bytearray] = {}
        self._lock = threading.Lock()
        self._next = 1000

    def open(self, path: str) -> int:
        if number := self.refusals.get(path):
            raise OSError(number, os.strerror(number))
        camera = self.cameras.get(os.path.realpath(path))  # follows links, as the real one does
        has_node = not self._needs_nodes or Path(path).exists()
        if camera is None or not camera.is_there or not has_node:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        with self._lock:
            self.opened += 1
            self._next += 1
            self._open[self._next] = camera
            return self._next

    def close(self, descriptor: int) -> None:
        camera = self._open.pop(descriptor)
        if camera.owner == descriptor and not self._is_mapped(camera):
            camera.owner = None

    def _is_mapped(self, camera: FakeCamera) -> bool:
        """Tell whether somebody still has a view of its memory: a bytearray knows."""
        for key, memory in self._memory.items():
            try:
                memory.append(0)
            except BufferError:
                if key[0] == id(camera):
                    return True
            else:
                memory.pop()
        return False

    def ioctl(self, descriptor: int, request: int, argument: bytearray) -> None:
        camera = self._open[descriptor]
        if not camera.is_there:
            raise OSError(errno.ENODEV, "No such device")
        assert request >> 16 & 0x3FFF == len(argument)
        assert chr(request >> 8 & 0xFF) == "V"
        answer = getattr(self, _ANSWERS[request & 0xFF])
        answer(camera, descriptor, argument)

    def map(self, descriptor: int, length: int, offset: int) -> memoryview:
        memory = self._memory[id(self._open[descriptor]), offset] = bytearray(length)
        return memoryview(memory).toreadonly()

    def wait(self, descriptor: int, timeout_s: float) -> bool:
        camera = self._open[descriptor]
        pause_s = timeout_s if camera.is_silent else camera.due - time.monotonic()
        threading.Event().wait(max(0.0, min(pause_s, timeout_s)))
        return not camera.is_there or (not camera.is_silent and pause_s <= timeout_s)

    def _query(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        told = Capability.from_buffer(argument)
        for name, text in (("driver", camera.driver), ("card", camera.card), ("bus_info", "usb-1")):
            ctypes.memmove(getattr(told, name), text.encode(), len(text))
        told.capabilities = PICTURES | METADATA | STREAMING | DEVICE_CAPS  # of all its nodes
        told.device_caps = camera.capabilities

    def _formats(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        asked = FormatDescription.from_buffer(argument)
        asked.pixelformat = code_of(_at(list(camera.modes), asked.index))

    def _sizes(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        asked = FrameSize.from_buffer(argument)
        asked.type = 1
        size = _at(list(_of(camera.modes, asked.pixel_format)), asked.index)
        asked.values[0], asked.values[1] = size

    def _intervals(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        asked = FrameInterval.from_buffer(argument)
        asked.type = 1
        rates = _of(camera.modes, asked.pixel_format)[asked.width, asked.height]
        asked.values[0], asked.values[1] = 1000, round(_at(rates, asked.index) * 1000)

    def _set_format(self, camera: FakeCamera, descriptor: int, argument: bytearray) -> None:
        if camera.is_busy or camera.owner not in {None, descriptor}:
            raise OSError(errno.EBUSY, "Device or resource busy")
        pix = Format.from_buffer(argument).fmt.pix
        name = next(name for name in camera.modes if code_of(name) == pix.pixelformat)
        pix.bytesperline = pix.width * 2 + camera.padding if name == "YUYV" else 0
        camera.format = name, pix.width, pix.height

    def _set_rate(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        asked = StreamParameters.from_buffer(argument)
        camera.fps = asked.denominator / asked.numerator

    def _request(self, camera: FakeCamera, descriptor: int, argument: bytearray) -> None:
        asked = RequestBuffers.from_buffer(argument)
        assert (asked.type, asked.memory) == (1, 1)
        if self._is_mapped(camera):
            raise OSError(errno.EBUSY, "Device or resource busy")
        camera.owner = descriptor if asked.count else None
        asked.count = camera.buffers = min(asked.count, 3)
        camera.queued.clear()

    def _query_buffer(self, _: FakeCamera, __: int, argument: bytearray) -> None:
        buffer = Buffer.from_buffer(argument)
        buffer.m.offset, buffer.length = buffer.index * 1_000_000, 500_000

    def _queue(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        buffer = Buffer.from_buffer(argument)
        assert (buffer.type, buffer.memory) == (1, 1)
        camera.queued.append(buffer.index)

    def _start(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        name, width, height = camera.format
        if not camera.fits_the_bus(name, width, camera.fps):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert len(camera.queued) == camera.buffers
        camera.set_to.append((name, width, height, camera.fps))
        camera.is_streaming, camera.due = True, time.monotonic()

    def _stop(self, camera: FakeCamera, _: int, __: bytearray) -> None:
        camera.is_streaming = False

    def _dequeue(self, camera: FakeCamera, _: int, argument: bytearray) -> None:
        if camera.is_silent or not camera.queued or time.monotonic() < camera.due:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        buffer, picture = Buffer.from_buffer(argument), camera.picture()
        buffer.index = camera.queued.pop(0)
        memory = self._memory[id(camera), buffer.index * 1_000_000]
        memory[: len(picture)] = picture
        stamped = camera.due
        buffer.bytesused, buffer.flags = len(picture), 0x2000
        buffer.seconds, buffer.micros = int(stamped), int(stamped % 1 * 1e6)
        camera.number += 1
        if camera.broken_every and camera.number % camera.broken_every == 0:
            buffer.flags |= 0x40
        camera.due += 1 / camera.fps


_ANSWERS = {
    0: "_query", 2: "_formats", 5: "_set_format", 8: "_request", 9: "_query_buffer", 15: "_queue",
    17: "_dequeue", 18: "_start", 19: "_stop", 22: "_set_rate", 74: "_sizes", 75: "_intervals",
}  # fmt: skip


def _of(modes: Modes, code: int) -> dict[tuple[int, int], list[float]]:
    return next(sizes for name, sizes in modes.items() if code_of(name) == code)


def _at(items: list[T], index: int) -> T:
    if index >= len(items):
        raise OSError(errno.EINVAL, "Invalid argument")
    return items[index]


class FakeBus:
    """A machine with USB ports: devices in a /dev and a /sys of its own."""

    def __init__(self, folder: Path) -> None:
        self.dev, self.listed = folder / "dev", folder / "class"
        self.dev.mkdir()
        self.listed.mkdir()
        self._tree = folder / "devices"
        self.kernel = FakeKernel({}, needs_nodes=True)
        self.made: list[str] = []
        self.refuses_nodes = False
        self.devices = Devices(self.dev, self.listed, self.kernel, self._make)

    def path(self, number: int) -> str:
        return str(self.dev / f"video{number}")

    def plug(self, number: int, port: str, camera: FakeCamera, index: int = 0) -> FakeCamera:
        """Put a camera's node into a port, e.g. `1-2.4`."""
        camera.is_there = True
        self.kernel.cameras[self.path(number)] = camera
        interface = self._tree / "pci0000:00" / "usb1" / port / f"{port}:1.0"
        node = interface / "video4linux" / f"video{number}"
        node.mkdir(parents=True)
        (node / "device").symlink_to(interface)
        (node / "index").write_text(f"{index}\n")
        (node / "dev").write_text(f"81:{number}\n")
        (self.listed / f"video{number}").symlink_to(node)
        return camera

    def with_node(self, number: int) -> None:
        (self.dev / f"video{number}").touch()

    def unplug(self, number: int) -> None:
        self.kernel.cameras[self.path(number)].is_there = False
        link = self.listed / f"video{number}"
        node = link.resolve()
        link.unlink()
        for part in node.iterdir():
            part.unlink()
        node.rmdir()
        (self.dev / f"video{number}").unlink(missing_ok=True)

    def _make(self, path: Path, mode: int, number: int) -> None:
        if self.refuses_nodes:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        assert (mode >> 12, os.major(number)) == (2, 81)
        self.made.append(path.name)
        path.touch()
