"""How a frame was fitted into a model's input, and the way back."""

from camfleet_contracts.pictures import Resize, crop, fit, letterbox, stretch

__all__ = ["Resize", "crop", "fit", "letterbox", "stretch"]
