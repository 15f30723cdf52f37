"""The camera of the demo street: a pinhole above the road that keeps verticals vertical."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 640
HEIGHT = 360

# Metres: x to the right of the camera, height above the ground, z away from the camera.
Point3 = tuple[float, float, float]
Point2 = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Lens:
    """Projects metres of the street to pixels of the picture."""

    focal: float = 480.0
    raised_m: float = 5.2
    horizon: float = 70.0
    centre_x: float = 300.0

    def scale(self, z: float) -> float:
        """Pixels per metre at the distance z."""
        return self.focal / z

    def to_picture(self, point: Point3) -> Point2:
        """Pixel position of a point of the street."""
        x, height, z = point
        scale = self.focal / z
        return self.centre_x + x * scale, self.horizon + (self.raised_m - height) * scale


LENS = Lens()
