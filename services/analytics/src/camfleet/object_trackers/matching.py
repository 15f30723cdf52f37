"""Who is who: distances between what is followed and what is found, and the choice of pairs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction

Distance = Callable[[Any, ObjectDetectionPrediction], float]
Distances = NDArray[np.float64]  # (followed, found); infinite: never
Pairs = list[tuple[int, int]]

DEFAULT_MAX_DISTANCE_NORM = 1.0
Place = tuple[float, float]


def match_greedy(distances: Distances) -> Pairs:
    """Pairs (followed, found), the nearest ones first; what is infinitely far is not paired."""
    pairs: Pairs = []
    rows, columns = np.unravel_index(np.argsort(distances, axis=None), distances.shape)
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if not math.isfinite(distances[row, column]):
            break
        if row not in used_rows and column not in used_columns:
            pairs.append((row, column))
            used_rows.add(row)
            used_columns.add(column)
    return pairs


def centre_distance(
    place_of: Callable[[Any], Place],
    max_distance: float | None,
    max_distance_norm: float | None,
) -> Distance:
    """Distance of centres, infinite above the limit.

    Args:
        place_of: where a followed object is expected in this frame.
        max_distance: limit in pixels; the distance is in pixels, then.
        max_distance_norm: limit in diagonals of the larger of both boxes, which fits any size of
            picture; the distance is in diagonals. Without any limit it is 1.

    Raises:
        BadArgument: both limits are given, or one is not above 0.
    """
    if max_distance is not None and max_distance_norm is not None:
        raise BadArgument("give max_distance (pixels) or max_distance_norm (diagonals), not both")
    in_pixels = max_distance is not None
    limit = max_distance if max_distance is not None else max_distance_norm
    limit = DEFAULT_MAX_DISTANCE_NORM if limit is None else limit
    if limit <= 0:
        raise BadArgument(f"the largest distance is {limit}, expected a number above 0")

    return _CentreDistance(place_of, limit, in_pixels)


@dataclass(frozen=True, slots=True)
class _CentreDistance:
    """A class, and not a closure, so that applications may keep trackers in a file (pickle)."""

    place_of: Callable[[Any], Place]
    limit: float
    is_in_pixels: bool

    def __call__(self, followed: Any, found: ObjectDetectionPrediction) -> float:
        pixels = math.dist(self.place_of(followed), found.box.center)
        unit = 1.0 if self.is_in_pixels else max(_diagonal(followed.box), _diagonal(found.box), 1.0)
        return pixels / unit if pixels / unit <= self.limit else math.inf


def _diagonal(box: BoundingBox) -> float:
    return math.hypot(box.width, box.height)
