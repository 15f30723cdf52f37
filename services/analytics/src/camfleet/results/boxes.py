"""A box in an image."""

import math
from dataclasses import astuple, dataclass

from camfleet.errors import BadArgument


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """Corners in whole pixels of the image; numbers with a fraction are rounded.

    Raises:
        BadArgument: a corner is not a finite number.
    """

    start_x: int
    start_y: int
    end_x: int
    end_y: int

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if type(value) is not int:
                object.__setattr__(self, name, _whole(name, value))

    @property
    def width(self) -> int:
        """Pixels across; negative where the corners are swapped."""
        return self.end_x - self.start_x

    @property
    def height(self) -> int:
        """Pixels down; negative where the corners are swapped."""
        return self.end_y - self.start_y

    @property
    def area(self) -> int:
        """Square pixels; 0 for a box without an inside."""
        return max(self.width, 0) * max(self.height, 0)

    @property
    def center(self) -> tuple[float, float]:
        """The middle (x, y) in pixels; halves are possible."""
        return (self.start_x + self.end_x) / 2, (self.start_y + self.end_y) / 2

    def compute_overlap(self, other: "BoundingBox") -> float:
        """Intersection over union, 0 (apart) to 1 (the same)."""
        width = min(self.end_x, other.end_x) - max(self.start_x, other.start_x)
        height = min(self.end_y, other.end_y) - max(self.start_y, other.start_y)
        shared = max(width, 0) * max(height, 0)
        union = self.area + other.area - shared
        return shared / union if union else 0.0

    def compute_distance(self, other: "BoundingBox") -> float:
        """Pixels between the two centres."""
        return math.dist(self.center, other.center)

    def corners(self) -> tuple[int, int, int, int]:
        """(start_x, start_y, end_x, end_y)."""
        return astuple(self)


def _whole(name: str, value: float) -> int:
    if not math.isfinite(value):
        raise BadArgument(f"BoundingBox: {name} is {value}, expected a number of pixels")
    return round(float(value))
