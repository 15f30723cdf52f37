"""What a glance at one key picture tells, in a few numbers.

With Pillow and not with numpy, which would be 7 MB that capture needs for nothing else.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean

import av
from av.video.frame import VideoFrame
from PIL import Image, ImageChops

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

    grey: Image.Image
    brightest: float
    contrast: float
    detail: float
    motion: float

    def is_same_as(self, other: "Look") -> bool:
        """Tell whether both show the very same, but for what encoding it twice may change."""
        none, by_one, *more = ImageChops.difference(self.grey, other.grey).histogram()
        return not any(more) and by_one / (none + by_one) < _SAME_MEAN


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
    motion = sum(unit.size_bytes for unit in rest) / max(len(rest), 1) / max(key.size_bytes, 1)
    return measure(_shrunk(frames[0]), motion if rest else 0.0)


def _is_complete_in_itself(key: AccessUnit) -> bool:
    """Tell whether a decoder that begins here should find nothing missing."""
    return key.codec != "h264" or any(h264.nal_type(nal) == h264.IDR for nal in key.nals)


def _shrunk(frame: VideoFrame) -> Image.Image:
    # One thread: two that live for a millisecond cost more than they help.
    small = frame.reformat(_WIDTH, _HEIGHT, "gray", interpolation="AREA", threads=1)
    plane = small.planes[0]
    return Image.frombytes("L", (_WIDTH, _HEIGHT), bytes(plane), "raw", "L", plane.line_size)


def measure(grey: Image.Image, motion: float = 0.0) -> Look:
    """Return the numbers of a grey picture of 160 by 90."""
    cells = array("f", grey.convert("F").reduce(_CELL).tobytes())
    mean = fmean(cells)
    contrast = fmean((cell - mean) ** 2 for cell in cells) ** 0.5
    return Look(grey, max(cells), contrast, _detail(grey), motion)


def _detail(grey: Image.Image) -> float:
    right, bottom = _WIDTH - 1, _HEIGHT - 1
    here = grey.crop((0, 0, right, bottom))
    across = ImageChops.difference(here, grey.crop((1, 0, right + 1, bottom)))
    down = ImageChops.difference(here, grey.crop((0, 1, right, bottom + 1)))
    place = round(_DETAIL_SHARE * (right * bottom - 1))  # counted from the smallest
    up_to = accumulate(ImageChops.lighter(across, down).histogram())
    return float(next(step for step, count in enumerate(up_to) if count > place))
