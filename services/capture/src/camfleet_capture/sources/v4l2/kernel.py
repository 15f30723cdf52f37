"""The border to the kernel's video devices: all that this service asks of them."""

import fcntl
import mmap
import os
import select
from contextlib import suppress
from typing import Protocol


class Kernel(Protocol):
    """What the V4L2 sources call; every method may raise OSError with the kernel's errno."""

    def open(self, path: str) -> int:
        """Open a device without waiting; returns its descriptor."""

    def close(self, descriptor: int) -> None:
        """Close it; what it streamed ends."""

    def ioctl(self, descriptor: int, request: int, argument: bytearray) -> None:
        """Ask or set something; the kernel's answer is written into `argument`."""

    def map(self, descriptor: int, length: int, offset: int) -> memoryview:
        """Return a buffer of the driver's, readable."""

    def wait(self, descriptor: int, timeout_s: float) -> bool:
        """Wait until a picture is there; False when the time is over."""


class LinuxKernel:
    """The real one."""

    def open(self, path: str) -> int:
        """Open a device without waiting; returns its descriptor."""
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self, descriptor: int) -> None:
        """Close it; an unplugged one may complain, and is closed all the same."""
        with suppress(OSError):
            os.close(descriptor)

    def ioctl(self, descriptor: int, request: int, argument: bytearray) -> None:
        """Ask or set something; the kernel's answer is written into `argument`."""
        fcntl.ioctl(descriptor, request, argument, True)

    def map(self, descriptor: int, length: int, offset: int) -> memoryview:
        """Return a buffer of the driver's; it is unmapped when nobody refers to it."""
        return memoryview(
            mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset)
        )

    def wait(self, descriptor: int, timeout_s: float) -> bool:
        """Wait until a picture is there (or the device has a fault to tell)."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
