"""What a pipeline needs of the rest of the service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from camfleet.inference.detector import Detector
from camfleet.service.live_ports import LiveCamera
from camfleet.video.connection import Connection, ReaderCounts
from camfleet.video.frames import FrameSlot
from camfleet.video.resting import Rest
from camfleet_contracts.cameras import Camera
from camfleet_contracts.events import Envelope, Origin


class Source(Protocol):
    """Where the frames come from, e.g. a CameraReader."""

    slot: FrameSlot
    rest: Rest

    @property
    def counts(self) -> ReaderCounts:
        """What was read; the time of a reader that several share is split among them."""

    @property
    def connection(self) -> Connection:
        """What is known of the connection to the camera."""

    @property
    def live_shift_s(self) -> float:
        """What takes a frame's `pts_s` to the clock of the picture that people watch."""

    @property
    def reads_with(self) -> tuple[str, ...]:
        """The other cameras that the same reader serves."""

    def start(self) -> None:
        """Begin to fill the slot."""

    def stop(self) -> None:
        """End it."""


class Publisher(Protocol):
    """Where results and events go; called from many threads, must not block."""

    def wants_results(self, camera: str | None) -> bool:
        """True while somebody listens who could want the results of this camera."""

    def publish_result(self, message: Envelope) -> None:
        """A result: who listens now gets it."""

    def publish_event(self, message: Envelope) -> None:
        """An event: it gets its number and is kept."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all pipelines of a service share."""

    detector: Detector
    publisher: Publisher
    device_id: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where one camera's messages go, and the origin they name."""

    origin: Origin
    publisher: Publisher

    def event(self, message: Envelope) -> None:
        """Give out an event."""
        self.publisher.publish_event(message)


SourceFactory = Callable[[Camera, LiveCamera], Source]
