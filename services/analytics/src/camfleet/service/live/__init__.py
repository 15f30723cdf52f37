"""Live video for browsers: the camera's own H.264 copied, or pictures with burnt-in boxes."""

from camfleet.service.live.hub import LiveHub

__all__ = ["LiveHub"]
