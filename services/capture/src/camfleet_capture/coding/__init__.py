"""From packets to access units: copied where RTP can carry them, else encoded anew."""

from camfleet_capture.coding.choice import coder_of, nominal_rate, open_coder
from camfleet_capture.coding.coder import Coder, VideoPacket
from camfleet_capture.coding.encoding import PictureEncoder, encoded, even_size

__all__ = [
    "Coder",
    "PictureEncoder",
    "VideoPacket",
    "coder_of",
    "encoded",
    "even_size",
    "nominal_rate",
    "open_coder",
]
