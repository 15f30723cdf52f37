"""`demo:street`: the rendered street, with its ground truth."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from av.video.frame import VideoFrame

from camfleet_capture.access_unit import AccessUnit, wall_time
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import encoded
from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene
from camfleet_capture.errors import SourceMissing
from camfleet_capture.sources.base import Loop, SourceDetails
from camfleet_capture.sources.rendered import show_paced
from camfleet_capture.stop import Stop
from camfleet_contracts.clock import rfc3339_from_unix

DEFAULT_SEED = 7


def parse_demo(source: str) -> int:
    """Return the seed of `demo:street` or `demo:street?seed=N`.

    Raises:
        SourceMissing: another scene, or a seed that is not a number.
    """
    parts = urlsplit(source)
    seed = parse_qs(parts.query).get("seed", [str(DEFAULT_SEED)])[0]
    if parts.path != "street" or not seed.isdecimal():
        raise SourceMissing(f"{source}: use demo:street or demo:street?seed=<number>")
    return int(seed)


class DemoScene:
    """Renders and encodes the scene from its second 0 at opening, without an end."""

    note: str | None = None

    def __init__(self, source: str, alteration: Alteration = NOTHING) -> None:
        seed = parse_demo(source)
        self._scene = StreetScene(seed)
        self._asking = threading.Lock()
        self._alteration = alteration
        size = alteration.size_of(640, 360)
        self.details = SourceDetails(encoded("demo", alteration), *size, float(FRAMES_PER_SECOND))
        self.loop: Loop | None = None
        self._begin()

    def _begin(self) -> None:
        """The wall clock is asked once: who compares truths knows the scene by its start."""
        self._started_at = time.monotonic()
        self._began = rfc3339_from_unix(wall_time(self._started_at))

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield pictures at the scene's rate."""
        self._begin()
        self.loop = Loop(0, self._started_at)
        yield from show_paced(
            self._render, FRAMES_PER_SECOND, self._started_at, stop, self._alteration
        )

    def truth(self) -> dict[str, Any] | None:
        """Return what the street shows now, and all that has crossed the gate so far."""
        time_s = time.monotonic() - self._started_at
        with self._asking:
            truth = self._scene.truth(time_s)
        return {**truth, "started_at": self._began}

    def close(self) -> None:
        """Keep nothing open."""

    def _render(self, time_s: float) -> VideoFrame:
        return VideoFrame.from_ndarray(self._scene.frame(time_s), format="rgb24")
