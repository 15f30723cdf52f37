"""What a reader of a source sees first."""

from threading import Event

import av
import numpy as np
from numpy.typing import NDArray

from camfleet_capture.coding.decoding import open_decoder
from camfleet_capture.sources.base import Source


def first_picture(source: Source) -> NDArray[np.uint8]:
    """Return it as (H, W, 3) RGB and close the source."""
    decoder = None
    for unit in source.units(Event()):
        decoder = decoder or open_decoder(unit.codec)
        for frame in decoder.decode(av.Packet(unit.coded())):
            source.close()
            return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    raise AssertionError("no picture came")
