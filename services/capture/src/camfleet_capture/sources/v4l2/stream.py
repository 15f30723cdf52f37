"""A device that streams into buffers of its driver."""

import errno
import time
from contextlib import suppress
from dataclasses import dataclass

from camfleet_capture.sources.v4l2 import structs
from camfleet_capture.sources.v4l2.kernel import Kernel
from camfleet_capture.sources.v4l2.modes import Mode

_BUFFERS = 4


@dataclass(frozen=True, slots=True)
class Grabbed:
    """The bytes of one picture; `stamped` is its time.monotonic() by the driver, if it has one."""

    content: bytes
    stamped: float | None


class DeviceStream:
    """Sets a mode, starts the device and hands its pictures over. OSError is the kernel's word."""

    def __init__(self, kernel: Kernel, descriptor: int, wanted: Mode) -> None:
        self._kernel, self._descriptor = kernel, descriptor
        self._buffers: list[memoryview] = []
        self.mode, self.line_bytes = self._set_format(wanted)
        self._set_rate()
        try:
            self._start()
        except OSError:
            self.stop()
            raise

    def grab(self, timeout_s: float) -> Grabbed | None:
        """Return the next whole picture; None when none came in time."""
        deadline = time.monotonic() + timeout_s
        while (rest := deadline - time.monotonic()) > 0:
            if self._kernel.wait(self._descriptor, rest) and (grabbed := self._take()):
                return grabbed
        return None

    def stop(self) -> None:
        """End streaming and give the buffers back; the descriptor stays open.

        Memory that is still mapped would keep the device ours, also when its descriptor is closed.
        """
        end = bytearray(structs.NUMBER.pack(structs.BUFFER_TYPE_CAPTURE))
        with suppress(OSError):  # unplugged: it has ended by itself
            self._kernel.ioctl(self._descriptor, structs.STREAMOFF, end)
        for buffer in self._buffers:
            buffer.release()
        self._buffers.clear()
        with suppress(OSError):
            self._request_buffers(0)

    def _set_format(self, wanted: Mode) -> tuple[Mode, int]:
        packed, number = structs.FORMAT, structs.fourcc(wanted.format.ljust(4))
        argument = bytearray(
            packed.pack(
                structs.BUFFER_TYPE_CAPTURE,
                wanted.width,
                wanted.height,
                number,
                structs.FIELD_ANY,
                0,
            )
        )
        self._kernel.ioctl(self._descriptor, structs.S_FMT, argument)
        _, width, height, number, _, line_bytes = packed.unpack(argument)
        return Mode(structs.fourcc_text(number), width, height, wanted.fps), line_bytes

    def _set_rate(self) -> None:
        """Ask for the rate; the driver answers with what it will do."""
        if not self.mode.fps:
            return
        packed = structs.STREAM_PARAMETERS
        interval = 1000, round(self.mode.fps * 1000)
        argument = bytearray(packed.pack(structs.BUFFER_TYPE_CAPTURE, 0, 0, *interval))
        try:
            self._kernel.ioctl(self._descriptor, structs.S_PARM, argument)
        except OSError as error:
            if error.errno not in {errno.ENOTTY, errno.EINVAL}:  # it has a rate of its own
                raise
            return
        _, _, _, numerator, denominator = packed.unpack(argument)
        if numerator and denominator:
            fps = round(denominator / numerator, 3)
            self.mode = Mode(self.mode.format, self.mode.width, self.mode.height, fps)

    def _start(self) -> None:
        for index in range(self._request_buffers(_BUFFERS)):
            described = self._buffer(structs.QUERYBUF, index)
            *_, offset, length = structs.BUFFER.unpack(described)
            self._buffers.append(self._kernel.map(self._descriptor, length, offset))
            self._buffer(structs.QBUF, index)
        start = bytearray(structs.NUMBER.pack(structs.BUFFER_TYPE_CAPTURE))
        self._kernel.ioctl(self._descriptor, structs.STREAMON, start)

    def _request_buffers(self, count: int) -> int:
        packed = structs.REQUEST_BUFFERS
        wanted = packed.pack(count, structs.BUFFER_TYPE_CAPTURE, structs.MEMORY_MMAP)
        argument = bytearray(wanted)
        self._kernel.ioctl(self._descriptor, structs.REQBUFS, argument)
        return int(packed.unpack(argument)[0])

    def _take(self) -> Grabbed | None:
        """Take a filled buffer; None when there is none after all, or a broken one."""
        try:
            answer = self._buffer(structs.DQBUF, 0)
        except BlockingIOError:
            return None
        index, _, used, flags, _, seconds, micros, _, _, _, _ = structs.BUFFER.unpack(answer)
        content = bytes(self._buffers[index][:used])
        self._buffer(structs.QBUF, index)
        if flags & structs.BUFFER_IS_BROKEN or not used:
            return None
        is_monotonic = flags & structs.BUFFER_STAMP_MASK == structs.BUFFER_STAMP_MONOTONIC
        return Grabbed(content, seconds + micros / 1e6 if is_monotonic else None)

    def _buffer(self, request: int, index: int) -> bytearray:
        kind, memory = structs.BUFFER_TYPE_CAPTURE, structs.MEMORY_MMAP
        argument = bytearray(structs.BUFFER.pack(index, kind, 0, 0, 0, 0, 0, 0, memory, 0, 0))
        self._kernel.ioctl(self._descriptor, request, argument)
        return argument
