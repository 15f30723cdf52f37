"""What pose estimation finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from camfleet.results.boxes import BoundingBox


class KeyPoint(NamedTuple):
    """A place in whole pixels of the image; (-1, -1) where the point was not found."""

    x: int
    y: int


@dataclass(slots=True)
class Pose:
    """One person. Points have edgeIQ's names: "Nose", "Neck", "Right Wrist" ..."""

    key_points: dict[str, KeyPoint]
    score: float  # 0 to 1
    box: BoundingBox  # around the points that were found
    confidences: Mapping[str, float] = field(default_factory=dict)  # of the points, 0 to 1


@dataclass(slots=True)
class HumanPoseResult:
    """All persons of one image."""

    poses: list[Pose] = field(default_factory=list)
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None
