"""The demo street: a synthetic scene with its truth, so that a fleet has something to watch."""

from camfleet_capture.demo.crossings import Crossing
from camfleet_capture.demo.scene import FRAMES_PER_SECOND, StreetScene, TrueObject

__all__ = ["FRAMES_PER_SECOND", "Crossing", "StreetScene", "TrueObject"]
