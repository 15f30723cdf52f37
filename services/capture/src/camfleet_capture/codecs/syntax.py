"""What all codecs made of NAL units have in common, and the size of any picture."""

from typing import Protocol

from camfleet_capture.access_unit import AccessUnit, CodecName
from camfleet_capture.codecs import h264, h265
from camfleet_capture.codecs.jpeg import BrokenJpeg, parse_jpeg


class NalSyntax(Protocol):
    """What the module of such a codec tells of its NAL units.

    Attributes:
        SLICES: the kinds that are coded picture data.
        RANDOM_ACCESS: the kinds of pictures that decoding can start at.
    """

    NAME: CodecName
    PARAMETER_SETS: frozenset[int]
    SLICES: frozenset[int]
    RANDOM_ACCESS: frozenset[int]
    NOT_SENT: frozenset[int]

    def nal_type(self, nal: bytes, /) -> int:
        """Return nal_unit_type."""

    def parse_header(self, extradata: bytes, /) -> tuple[int, list[bytes]]:
        """Return the size of length fields (0: start codes) and the header's NAL units."""

    def parameter_set_id(self, nal: bytes, /) -> int:
        """Return the id of a parameter set."""

    def picture_size(self, nal: bytes, /) -> tuple[int, int] | None:
        """Return the size an SPS tells; None for any other NAL unit."""


SYNTAXES: dict[CodecName, NalSyntax] = {"h264": h264, "h265": h265}


def picture_size(unit: AccessUnit) -> tuple[int, int] | None:
    """Return width and height, as a key picture tells them."""
    syntax = SYNTAXES.get(unit.codec)
    if syntax:
        return next((size for nal in unit.nals if (size := syntax.picture_size(nal))), None)
    try:
        picture = parse_jpeg(unit.nals[0])
    except BrokenJpeg:
        return None
    return picture.width, picture.height
