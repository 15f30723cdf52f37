"""A running pipeline with a scripted camera and a scripted model server."""

from collections.abc import Iterator
from contextlib import contextmanager

from camfleet.lines import LineCount
from camfleet.service.pipeline import Pipeline, Surroundings
from camfleet.video.frames import Frame, FrameSlot
from camfleet_contracts.cameras import Camera
from fakes_analytics import (
    CollectingPublisher,
    NoLiveCamera,
    ScriptedDetector,
    ScriptedSource,
    camera,
)
from waiting import wait_until

GATE = "{fps: 10, model: cars, lines: [{name: gate, from: [0, 0.5], to: [1, 0.5]}]}"


class WatchedLive(NoLiveCamera):
    """Somebody looks at the pictures with burnt-in boxes."""

    def __init__(self) -> None:
        self.pictures: list[dict[str, object] | None] = []

    @property
    def wants_pictures(self) -> bool:  # type: ignore[override] # a constant in the base
        return True

    def push_picture(self, frame: Frame, result: dict[str, object] | None) -> None:
        self.pictures.append(result)


class Rig:
    """A running pipeline and everything around it."""

    def __init__(
        self, wanted: Camera, counts: dict[str, LineCount], slot: FrameSlot | None = None
    ) -> None:
        self.source, self.detector = ScriptedSource(), ScriptedDetector()
        self.source.slot = slot or self.source.slot
        self.publisher, self.live = CollectingPublisher(), WatchedLive()
        around = Surroundings(self.detector, self.publisher, "box")
        self.pipeline = Pipeline(wanted, self.source, self.live, around, counts)

    def show(self, *frames: Frame) -> None:
        """Each frame is taken before the next one comes."""
        for one in frames:
            self.source.slot.put(one)
            wait_until(self.source.has_nothing_to_take, 60, "the frame is taken")
        wait_until(lambda: self.seen >= frames[-1].number + 1, 60, "all frames are dealt with")

    @property
    def seen(self) -> int:
        statistics = self.pipeline.statistics
        return statistics.analysed + self.source.slot.skipped + statistics.failed


@contextmanager
def running(
    pipeline: str = GATE,
    counts: dict[str, LineCount] | None = None,
    slot: FrameSlot | None = None,
) -> Iterator[Rig]:
    rig = Rig(camera(pipeline), counts or {}, slot)
    rig.pipeline.start()
    try:
        yield rig
    finally:
        rig.pipeline.stop()
