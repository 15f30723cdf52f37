"""What a device can deliver, as its driver lists it."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from camfleet_capture.sources.v4l2 import structs
from camfleet_capture.sources.v4l2.kernel import Kernel

_LONGEST_LIST = 256  # a driver that never says "that was all" must not hold us
# Not listed as one: sizes and rates from which a range of the driver is sampled.
_USUAL_SIZES = ((320, 240), (640, 480), (800, 600), (1280, 720), (1920, 1080), (3840, 2160))
_USUAL_RATES = (5.0, 10.0, 15.0, 25.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Capability:
    """Who a device is; `takes_pictures` is False for metadata, output and memory nodes."""

    driver: str
    card: str
    bus: str
    takes_pictures: bool


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to deliver pictures; `fps` is None where the driver lists no rates."""

    format: str
    width: int
    height: int
    fps: float | None


def read_capability(kernel: Kernel, descriptor: int) -> Capability:
    """Ask a device who it is; OSError ENOTTY when it is not a video device."""
    answer = bytearray(structs.CAPABILITY.size)
    kernel.ioctl(descriptor, structs.QUERYCAP, answer)
    driver, card, bus, _version, all_nodes, this_node = structs.CAPABILITY.unpack(answer)
    able = this_node if all_nodes & structs.CAP_DEVICE_CAPS else all_nodes
    needed = structs.CAP_VIDEO_CAPTURE | structs.CAP_STREAMING
    return Capability(
        structs.text_of(driver),
        structs.text_of(card),
        structs.text_of(bus),
        able & needed == needed,
    )


def list_modes(kernel: Kernel, descriptor: int) -> list[Mode]:
    """List every format at every size and rate; without rates where the driver tells none."""
    return [
        Mode(structs.fourcc_text(format_), width, height, fps)
        for format_ in _formats(kernel, descriptor)
        for width, height in _sizes(kernel, descriptor, format_)
        for fps in _rates(kernel, descriptor, (format_, width, height)) or [None]
    ]


def _formats(kernel: Kernel, descriptor: int) -> list[int]:
    kind = structs.BUFFER_TYPE_CAPTURE
    packed = structs.FORMAT_DESCRIPTION
    answers = _enumerate(
        kernel, descriptor, structs.ENUM_FMT, lambda n: packed.pack(n, kind, 0, b"", 0, 0)
    )
    return [int(packed.unpack(answer)[4]) for answer in answers]


def _sizes(kernel: Kernel, descriptor: int, format_: int) -> list[tuple[int, int]]:
    packed, found = structs.FRAME_SIZE, []
    answers = _enumerate(
        kernel, descriptor, structs.ENUM_FRAMESIZES, lambda n: packed.pack(n, format_, *[0] * 7)
    )
    for answer in answers:
        _, _, kind, *values = packed.unpack(answer)
        if kind == structs.SIZE_DISCRETE:
            found.append((values[0], values[1]))
            continue
        least_w, most_w, _, least_h, most_h, _ = values
        inside = [
            (w, h) for w, h in _USUAL_SIZES if least_w <= w <= most_w and least_h <= h <= most_h
        ]
        return inside or [(most_w, most_h)]
    return found


def _rates(kernel: Kernel, descriptor: int, what: tuple[int, int, int]) -> list[float | None]:
    packed, found = structs.FRAME_INTERVAL, list[float | None]()
    answers = _enumerate(
        kernel, descriptor, structs.ENUM_FRAMEINTERVALS, lambda n: packed.pack(n, *what, *[0] * 7)
    )
    for answer in answers:
        _, _, _, _, kind, *values = packed.unpack(answer)
        shortest = _rate(values[0], values[1])
        if kind == structs.INTERVAL_DISCRETE:
            found.append(shortest)
            continue
        longest = _rate(values[2], values[3])
        return [rate for rate in _USUAL_RATES if longest <= rate <= shortest] or [shortest]
    return [rate for rate in found if rate]


def _rate(numerator: int, denominator: int) -> float:
    return round(denominator / numerator, 3) if numerator else 0.0


def _enumerate(
    kernel: Kernel, descriptor: int, request: int, question: Callable[[int], bytes]
) -> Iterator[bytes]:
    """Yield answers 0, 1, 2 ... until the driver says EINVAL (or that it lists no such thing)."""
    for number in range(_LONGEST_LIST):
        argument = bytearray(question(number))
        try:
            kernel.ioctl(descriptor, request, argument)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOTTY}:
                return
            raise
        yield bytes(argument)
