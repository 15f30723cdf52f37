"""One zone: a polygon, and who is in it.

An object is where the middle of its box's bottom edge is, as everywhere in the fleet: where it
stands, and not where its head happens to be.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet.results.boxes import BoundingBox
from camfleet.zone_list.errors import BadZones

Corner = tuple[float, float]  # x, y in pixels
_FEWEST_CORNERS = 3


class ZoneType(Enum):
    """The shape of a zone."""

    POLYGON = "polygon"
    BOX = "box"


class Boxed(Protocol):
    """What is somewhere: a prediction, or an object of a tracker."""

    @property
    def box(self) -> BoundingBox:
        """Where it is."""


ResultsT = TypeVar("ResultsT")


@dataclass(frozen=True, slots=True)
class Zone:
    """A named polygon in pixels of an image of `image_width` x `image_height`.

    Raises:
        BadZones: it has too few corners, or the image has no size.
    """

    name: str
    vector: tuple[Corner, ...]
    image_width: int
    image_height: int
    zone_type: ZoneType = ZoneType.POLYGON
    description: str = ""

    def __post_init__(self) -> None:
        if min(self.image_width, self.image_height) <= 0:
            raise BadZones(
                f"zone {self.name!r}: the image is {self.image_width}x{self.image_height},"
                " expected sides above 0"
            )
        if len(self.vector) < _FEWEST_CORNERS:
            raise BadZones(
                f"zone {self.name!r}: {len(self.vector)} corners, expected at least"
                f" {_FEWEST_CORNERS}"
            )

    @property
    def polygon(self) -> NDArray[np.float32]:
        """The corners, (N, 2)."""
        return np.array(self.vector, np.float32)

    def resized(self, image_width: int, image_height: int) -> "Zone":
        """The same zone in pixels of another image."""
        across, down = image_width / self.image_width, image_height / self.image_height
        vector = tuple((x * across, y * down) for x, y in self.vector)
        return replace(self, vector=vector, image_width=image_width, image_height=image_height)

    def check_object_detection_prediction_within_zone(self, prediction: Boxed) -> bool:
        """Whether it stands in the zone; on the border is inside."""
        box = prediction.box
        stands_at = ((box.start_x + box.end_x) / 2, float(box.end_y))
        return cv2.pointPolygonTest(self.polygon, stands_at, measureDist=False) >= 0

    def check_prediction_within_zone(self, prediction: Boxed) -> bool:
        """`check_object_detection_prediction_within_zone` as edgeIQ 2 names it."""
        return self.check_object_detection_prediction_within_zone(prediction)

    def get_results_for_zone(self, results: ResultsT) -> ResultsT:
        """Those in the zone, in the same form: results, tracking results, or a list.

        Raises:
            TypeError: it has no predictions.
        """
        is_in = self.check_object_detection_prediction_within_zone
        if isinstance(results, Mapping):
            chosen: Any = copy(results)
            for key in [key for key, one in results.items() if not is_in(one)]:
                del chosen[key]
            return chosen  # type: ignore[no-any-return]  # a copy of the same type
        if isinstance(results, list):
            return [one for one in results if is_in(one)]  # type: ignore[return-value]  # as above
        predictions = getattr(results, "predictions", None)
        if predictions is None:
            raise TypeError(
                f"get_results_for_zone: {type(results).__name__} has no predictions; give what"
                " detect_objects() or a tracker's update() returned"
            )
        narrowed: Any = copy(results)
        narrowed.predictions = [one for one in predictions if is_in(one)]
        return narrowed  # type: ignore[no-any-return]  # as above


def create_bounding_box_from_zone(zone: Zone) -> BoundingBox:
    """The smallest box around a zone."""
    (left, top), (right, bottom) = zone.polygon.min(axis=0), zone.polygon.max(axis=0)
    return BoundingBox(round(left), round(top), round(right), round(bottom))


def create_zone_from_bounding_box(
    bounding_box: BoundingBox, image_width: int, image_height: int, name: str = "zone"
) -> Zone:
    """A zone of a box's shape, in an image of this size."""
    box = bounding_box
    corners = (
        (box.start_x, box.start_y),
        (box.end_x, box.start_y),
        (box.end_x, box.end_y),
        (box.start_x, box.end_y),
    )
    return Zone(name, corners, image_width, image_height, ZoneType.BOX)


def convert_polygon_to_box_zone(zone: Zone) -> Zone:
    """The smallest zone of a box's shape around a zone."""
    box = create_bounding_box_from_zone(zone)
    made = create_zone_from_bounding_box(box, zone.image_width, zone.image_height, zone.name)
    return replace(made, description=zone.description)
