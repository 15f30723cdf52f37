"""A V4L2 device as a source: opened in the best mode it has, its refusals in words."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from camfleet_capture.errors import (
    SourceFault,
    SourceLost,
    SourceMissing,
    SourceStalled,
    SourceUnreadable,
)
from camfleet_capture.sources.container import STALL_LIMIT_S
from camfleet_capture.sources.packets import Arrived
from camfleet_capture.sources.v4l2.choice import DECODERS, Wish, lighter, rank, text_of
from camfleet_capture.sources.v4l2.modes import Mode, list_modes, read_capability
from camfleet_capture.sources.v4l2.nodes import Devices, holders_of
from camfleet_capture.sources.v4l2.stream import DeviceStream
from camfleet_capture.stop import Stop

_WAIT_S = 0.5  # how often a silent device is asked whether we shall end
_GONE = frozenset({errno.ENODEV, errno.ENXIO})
_PACKED_BYTES = {"YUYV": 2, "UYVY": 2, "RGB3": 3, "BGR3": 3, "GREY": 1}


class V4l2Device:
    """An open device that streams; belongs to one thread.

    Raises:
        SourceFault: it is not there, in use, not permitted, no camera, or has no bandwidth left.
    """

    def __init__(self, path: str, wish: Wish, devices: Devices) -> None:
        self._path, self._kernel, self._devices = path, devices.kernel, devices
        self.label = f"device {path}"
        self.note: str | None = None
        devices.provide_node(Path(path))
        try:
            self._descriptor = self._kernel.open(path)
        except OSError as error:
            raise self._refusal(error) from error
        try:
            self._stream = self._start(wish)
        except BaseException:
            self._kernel.close(self._descriptor)
            raise

    @property
    def mode(self) -> Mode:
        """What it delivers."""
        return self._stream.mode

    def packets(self, stop: Stop) -> Iterator[Arrived]:
        """Yield what the device captures.

        Raises:
            SourceLost: it was unplugged.
            SourceStalled: it delivers nothing.
        """
        silent_s = 0.0
        while not stop.is_set():
            try:
                grabbed = self._stream.grab(_WAIT_S)
            except OSError as error:
                raise self._loss(error) from error
            if grabbed:
                silent_s = 0.0
                yield Arrived(self._trimmed(grabbed.content), grabbed.stamped, time.monotonic())
                continue
            silent_s += _WAIT_S
            if silent_s >= STALL_LIMIT_S:
                raise SourceStalled(
                    f"{self.label}: no picture for {STALL_LIMIT_S:.0f} s; if that goes on, "
                    "unplug it and plug it in again"
                )

    def close(self) -> None:
        """Stop streaming and let others have the device."""
        self._stream.stop()
        self._kernel.close(self._descriptor)

    def _start(self, wish: Wish) -> DeviceStream:
        try:
            ranked = rank(self._modes(), wish)
        except OSError as error:
            raise self._refusal(error) from error
        if not ranked:
            raise SourceUnreadable(f"{self.label}: offers no format that this build can read")
        mode: Mode | None = ranked[0]
        while mode:
            try:
                stream = DeviceStream(self._kernel, self._descriptor, mode)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise self._refusal(error) from error
                self._reopen()
                mode = lighter(ranked, mode)
                continue
            if stream.mode.format not in DECODERS:
                raise SourceUnreadable(
                    f"{self.label}: gives {stream.mode.format} when asked for {mode.format}"
                )
            if mode != ranked[0]:
                self.note = (
                    f"USB bandwidth is used up: {text_of(stream.mode)} instead of "
                    f"{text_of(ranked[0])}; another USB controller would give more"
                )
            return stream
        raise SourceMissing(
            f"{self.label}: USB bandwidth is used up, even for its lightest mode; plug it into "
            "another USB controller, or ask its neighbours for less (capture: size, frame_rate)"
        )

    def _modes(self) -> list[Mode]:
        capability = read_capability(self._kernel, self._descriptor)
        if not capability.takes_pictures:
            raise SourceUnreadable(
                f"{self.label}: {capability.card or 'it'} gives no pictures here (a metadata or "
                "output node); a camera's other number may, `v4l2-ctl --list-devices` lists them"
            )
        return list_modes(self._kernel, self._descriptor)

    def _reopen(self) -> None:
        """Begin anew after a refused start: the buffers of the refused mode are gone with it."""
        self._kernel.close(self._descriptor)
        try:
            self._descriptor = self._kernel.open(self._path)
        except OSError as error:
            raise self._refusal(error) from error

    def _trimmed(self, content: bytes) -> bytes:
        """Take out what the driver adds to each line of a raw picture."""
        mode = self.mode
        line = mode.width * _PACKED_BYTES.get(mode.format, 0)
        padded = self._stream.line_bytes
        if not line or padded <= line:
            return content
        return b"".join(content[at : at + line] for at in range(0, padded * mode.height, padded))

    def _refusal(self, error: OSError) -> SourceFault:
        if error.errno == errno.EBUSY:
            return SourceMissing(f"{self.label}: in use by {self._holders()}; end that first")
        if error.errno == errno.ENOENT and self._devices.is_listed(self._path):
            return SourceMissing(
                f"{self.label}: the kernel has it, but this container has no node of it; "
                "see docs/cameras.md, USB cameras in containers"
            )
        text = _MEANINGS.get(error.errno or 0)
        if text:
            return SourceMissing(f"{self.label}: {text}")
        return SourceFault(f"{self.label}: {error.strerror or error}")

    def _loss(self, error: OSError) -> SourceFault:
        if error.errno in _GONE:
            return SourceLost(f"{self.label}: unplugged")
        return SourceLost(f"{self.label}: {error.strerror or error}")

    def _holders(self) -> str:
        found = holders_of(self._path)
        own = f"(process {os.getpid()})"
        others = [holder for holder in found if not holder.endswith(own)]
        if others:
            return ", ".join(others)
        return (
            "another camera of cameras.yaml" if found else "a program that cannot be seen from here"
        )


_MEANINGS = {
    errno.ENOENT: "not there; is it plugged in?",
    errno.ENODEV: "not there; is it plugged in?",
    errno.ENXIO: "not there; is it plugged in?",
    errno.EACCES: "no permission; put the user of this service into the group video",
    errno.EPERM: "no permission; hand the device to the container (devices: or privileged)",
    errno.ENOTTY: "is not a video device",
    errno.EINVAL: "is not a video device, or refuses all that was asked",
}
