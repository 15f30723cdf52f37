"""What pose estimation finds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from camfleet.colours import colour_of
from camfleet.errors import BadArgument
from camfleet.images import Image, check_image
from camfleet.results.boxes import BoundingBox
from camfleet.results.key_points import LIMBS


class KeyPoint(NamedTuple):
    """A place in whole pixels of the image; (-1, -1) where the point was not found."""

    x: int
    y: int

    @property
    def is_found(self) -> bool:
        """Whether it is a place."""
        return self != NOWHERE


NOWHERE = KeyPoint(-1, -1)


@dataclass(slots=True)
class Pose:
    """One person. Points have edgeIQ's names: "Nose", "Neck", "Right Wrist" ..."""

    key_points: dict[str, KeyPoint]
    score: float  # 0 to 1
    box: BoundingBox  # around the points that were found
    confidences: dict[str, float] = field(default_factory=dict)  # of the points, 0 to 1

    def limbs(self) -> Iterator[tuple[KeyPoint, KeyPoint]]:
        """Both ends of each limb that was found."""
        for begin, end in LIMBS:
            ends = (self.key_points.get(begin, NOWHERE), self.key_points.get(end, NOWHERE))
            if ends[0].is_found and ends[1].is_found:
                yield ends


@dataclass(slots=True)
class HumanPoseResult:
    """All persons of one image."""

    poses: list[Pose] = field(default_factory=list)
    duration: float = 0.0  # seconds the request took
    model_id: str = ""
    model_version: int | None = None
    image_size: tuple[int, int] = (0, 0)  # (width, height) of the image

    def draw_poses(self, image: Image) -> Image:
        """A copy of the image with points and limbs, a colour a person; raises BadImage."""
        drawn = np.array(check_image(image, "draw_poses"))
        _draw(drawn, self.poses)
        return drawn

    def draw_poses_background(self, color: tuple[int, int, int] = (0, 0, 0)) -> Image:
        """Points and limbs on one colour (blue, green, red), in the size of the image.

        Raises:
            BadArgument: the result is of no image.
        """
        width, height = self.image_size
        if not width or not height:
            raise BadArgument("draw_poses_background: the result has no image_size; use draw_poses")
        plain = np.full((height, width, 3), color, np.uint8)
        _draw(plain, self.poses)
        return plain


def _draw(image: Image, poses: list[Pose]) -> None:
    import cv2  # noqa: PLC0415 - slow to import

    thickness = max(2, round(max(image.shape[:2]) / 400))
    for number, pose in enumerate(poses):
        colour = colour_of(number)
        for begin, end in pose.limbs():
            cv2.line(image, begin, end, colour, thickness, cv2.LINE_AA)
        for point in pose.key_points.values():
            if point.is_found:
                cv2.circle(image, point, thickness + 1, colour, -1, cv2.LINE_AA)
