"""Pictures that are made here, shown at a steady rate."""

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from av.video.frame import VideoFrame

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import PictureEncoder
from camfleet_capture.stop import Stop

Render = Callable[[float], VideoFrame]


def show_paced(
    render: Render,
    fps: float,
    started_at: float,
    stop: Stop,
    alteration: Alteration = NOTHING,
) -> Iterator[AccessUnit]:
    """Encode render(seconds since `started_at`) at `fps`; what is late is left out."""
    numbers = _paced(fps, started_at, stop)
    yield from _shown(numbers, render, fps, started_at, alteration)


def show_all(
    render: Render,
    fps: float,
    started_at: float,
    stop: Stop,
    alteration: Alteration = NOTHING,
) -> Iterator[AccessUnit]:
    """Encode every picture with the same times, without waiting for them."""
    numbers = itertools.takewhile(lambda _: not stop.is_set(), itertools.count())
    yield from _shown(numbers, render, fps, started_at, alteration)


def _paced(fps: float, started_at: float, stop: Stop) -> Iterator[int]:
    """Number each picture when it is due."""
    number = 0
    while not stop.wait(max(0.0, started_at + number / fps - time.monotonic())):
        yield number
        number = max(number + 1, math.floor((time.monotonic() - started_at) * fps))


def _shown(
    numbers: Iterable[int], render: Render, fps: float, started_at: float, alteration: Alteration
) -> Iterator[AccessUnit]:
    encoder = PictureEncoder(fps, alteration)
    for number in numbers:
        shown_at, next_at = (started_at + (number + more) / fps for more in (0, 1))
        for unit in encoder.encode(render(number / fps), round(shown_at * CLOCK_HZ), shown_at):
            yield replace(unit, next_ticks=round(next_at * CLOCK_HZ))
