"""What a pipeline needs of a tracker."""

from typing import Protocol

from camfleet.detections import Detections
from camfleet.tracking.box_tracker import BoxTracker
from camfleet_contracts.cameras import Pipeline


class Tracker(Protocol):
    """Gives detections an identity."""

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""

    @property
    def lowest_confidence(self) -> float:
        """The weakest detections it makes use of."""

    def update(self, detections: Detections, time_s: float) -> Detections:
        """The confirmed objects of one frame, with ids."""

    def prepare(self) -> None:
        """Do what takes long, before the first frame comes."""

    def restart(self) -> None:
        """Forget all tracks; ids go on."""


def create_tracker(pipeline: Pipeline, after_id: int = 0) -> Tracker:
    """The tracker a pipeline asks for; its ids begin after one that was given already."""
    wanted, given = pipeline.tracker, pipeline.tracker.model_extra or {}
    return BoxTracker(wanted.kind, pipeline.confidence, given, after_id=after_id)
