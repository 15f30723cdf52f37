"""What a tracker returns."""

from collections.abc import Mapping
from typing import TypeVar

from camfleet.object_trackers.trackable import TrackablePrediction

TrackableT = TypeVar("TrackableT", bound=TrackablePrediction)


class TrackingResults(dict[int, TrackableT]):
    """The objects that are followed, by id; also those that were not found in this very frame.

    Their `disappeared_frames` is above 0 then, and their box is where they were last.
    """

    def __init__(
        self,
        objects: Mapping[int, TrackableT] | None = None,
        tracking_algorithm: str = "",
        model_id: str = "",
    ) -> None:
        """`tracking_algorithm` is the tracker's name, `model_id` that of the detector's model."""
        super().__init__(objects or {})
        self.tracking_algorithm, self.model_id = tracking_algorithm, model_id
