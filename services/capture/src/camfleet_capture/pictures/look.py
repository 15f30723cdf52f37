"""What a glance at one key picture tells, in a few numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h264
from camfleet_capture.coding.decoding import open_decoder

_WIDTH, _HEIGHT, _CELL = 160, 90, 5
_SAME_MEAN = 0.02
_DETAIL_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a stream; grey values are 0 to 255.

    Attributes:
        grey: the picture, 160 by 90.
        brightest: the mean of its brightest cell of 5 by 5: noise hardly shows in it.
        contrast: the standard deviation of the means of all cells.
        detail: the 99th percentile of the difference of neighbours.
        motion: bytes of an average picture between two key pictures, relative to the key picture.
    """

    grey: NDArray[np.int16]  # (90, 160)
    brightest: float
    contrast: float
    detail: float
    motion: float

    def is_same_as(self, other: "Look") -> bool:
        """Tell whether both show the very same, but for what encoding it twice may change."""
        difference = np.abs(self.grey - other.grey)
        return bool(difference.max() <= 1 and difference.mean() < _SAME_MEAN)


def look_at(group: Sequence[AccessUnit]) -> Look | None:
    """Decode the key picture that a group begins with; None when it is damaged."""
    key, rest = group[0], group[1:]
    decoder = open_decoder(key.codec)
    try:
        frames = [*decoder.decode(av.Packet(key.coded())), *decoder.decode(None)]
    except av.error.FFmpegError:
        return None
    if not frames or (frames[0].is_corrupt and _is_complete_in_itself(key)):
        return None
    small = frames[0].reformat(_WIDTH, _HEIGHT, "gray", interpolation="AREA")
    motion = sum(unit.size_bytes for unit in rest) / max(len(rest), 1) / max(key.size_bytes, 1)
    return measure(cast("NDArray[np.uint8]", small.to_ndarray()), motion if rest else 0.0)


def _is_complete_in_itself(key: AccessUnit) -> bool:
    """Tell whether a decoder that begins here should find nothing missing."""
    return key.codec != "h264" or any(h264.nal_type(nal) == h264.IDR for nal in key.nals)


def measure(grey: NDArray[np.uint8], motion: float = 0.0) -> Look:
    """Return the numbers of a grey picture of 160 by 90."""
    values = grey.astype(np.int16)
    cells = values.reshape(_HEIGHT // _CELL, _CELL, _WIDTH // _CELL, _CELL).mean(axis=(1, 3))
    across = np.abs(np.diff(values, axis=1))[:-1]
    down = np.abs(np.diff(values, axis=0))[:, :-1]
    steps = np.maximum(across, down).ravel()
    place = round(_DETAIL_SHARE * (steps.size - 1))
    detail = float(np.partition(steps, place)[place])  # percentile() would load 7 MB of numpy.ma
    return Look(values, float(cells.max()), float(cells.std()), detail, motion)
