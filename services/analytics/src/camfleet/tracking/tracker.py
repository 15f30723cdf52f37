"""What a pipeline needs of a tracker, and the table of those there are."""

from typing import Protocol

from camfleet.detections import Detections
from camfleet.tracking.bytetrack import ByteTracker
from camfleet_contracts.cameras import Pipeline


class UnknownTracker(ValueError):
    """The configuration names a tracker this version does not have."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"tracker kind '{kind}' is not available yet; use bytetrack")


class Tracker(Protocol):
    """Gives detections an identity."""

    algorithm: str

    @property
    def lowest_confidence(self) -> float:
        """The weakest detections it makes use of."""

    def update(self, detections: Detections, time_s: float) -> Detections:
        """The confirmed objects of one frame, with ids."""

    def prepare(self) -> None:
        """Do what takes long, before the first frame comes."""

    def restart(self) -> None:
        """Forget all tracks; ids go on."""


def create_tracker(pipeline: Pipeline) -> Tracker:
    """The tracker a pipeline asks for; raises UnknownTracker."""
    if pipeline.tracker.kind != "bytetrack":
        raise UnknownTracker(pipeline.tracker.kind)
    parameters = pipeline.tracker.model_extra or {}
    return ByteTracker(pipeline.fps, pipeline.confidence, dict(parameters))
