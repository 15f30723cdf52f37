"""H.265 (ITU-T H.265): kinds of NAL units, parameter sets, picture size, profile."""

from dataclasses import dataclass

from camfleet_capture.access_unit import CodecName
from camfleet_capture.codecs.nal import Bits, split_start_codes, unescape

NAME: CodecName = "h265"
VPS, SPS, PPS, DELIMITER = 32, 33, 34, 35
PARAMETER_SETS = frozenset({VPS, SPS, PPS})
NOT_SENT = frozenset({DELIMITER, 37, 38})  # delimiter, end of the stream, filler
HEADER_BYTES = 2
SLICES = frozenset(range(32))
RANDOM_ACCESS = frozenset(range(16, 22))
_CHROMA_420, _CHROMA_422, _CHROMA_444 = 1, 2, 3
_GENERAL_BITS, _LEVEL_BITS, _SUB_LAYERS = 88, 8, 8


def nal_type(nal: bytes) -> int:
    """Return nal_unit_type."""
    return nal[0] >> 1 & 0x3F


def parse_header(extradata: bytes) -> tuple[int, list[bytes]]:
    """Return the size of the length fields (0: start codes) and the NAL units of a header."""
    if extradata[:1] == b"\1":
        return _parse_hvcc(extradata)
    return 0, split_start_codes(extradata)


def _parse_hvcc(record: bytes) -> tuple[int, list[bytes]]:
    nals: list[bytes] = []
    arrays, position = (record[22], 23) if len(record) > 22 else (0, 0)  # noqa: PLR2004 - its head
    for _ in range(arrays):
        count = int.from_bytes(record[position + 1 : position + 3])
        position += 3
        for _ in range(count):
            size = int.from_bytes(record[position : position + 2])
            nals.append(record[position + 2 : position + 2 + size])
            position += 2 + size
    length_size = (record[21] & 3) + 1 if len(record) > 21 else 4  # noqa: PLR2004 - its head
    return length_size, [nal for nal in nals if len(nal) > HEADER_BYTES]


def parameter_set_id(nal: bytes) -> int:
    """Return the id of a parameter set; 0 when the bits make no sense."""
    bits = Bits(unescape(nal[HEADER_BYTES:]))
    try:
        if nal_type(nal) == VPS:
            return bits.take(4)
        if nal_type(nal) == SPS:
            _skip_to_sps_id(bits)
        return bits.unsigned()
    except IndexError:
        return 0


def picture_size(nal: bytes) -> tuple[int, int] | None:
    """Return the size a sequence parameter set tells; None for any other NAL unit."""
    if nal_type(nal) != SPS:
        return None
    try:
        return _read_size(Bits(unescape(nal[HEADER_BYTES:])))
    except IndexError:
        return None


@dataclass(frozen=True, slots=True)
class Profile:
    """The general profile, tier and level of a sequence parameter set."""

    space: int
    tier: int
    profile: int
    level: int


def parse_profile(sps: bytes) -> Profile | None:
    """Read what SDP tells of the stream; None when the bits make no sense."""
    bits = Bits(unescape(sps[HEADER_BYTES:]))
    try:
        bits.take(8)  # VPS id, sub-layers, nesting
        space, tier, profile = bits.take(2), bits.take(1), bits.take(5)
        bits.take(_GENERAL_BITS - 8)
        return Profile(space, tier, profile, bits.take(_LEVEL_BITS))
    except IndexError:
        return None


def _read_size(bits: Bits) -> tuple[int, int]:
    _skip_to_sps_id(bits)
    bits.unsigned()  # id
    chroma = bits.unsigned()
    if chroma == _CHROMA_444:
        bits.take(1)  # separate colour planes
    width, height = bits.unsigned(), bits.unsigned()
    crop = [bits.unsigned() for _ in range(4)] if bits.take(1) else [0, 0, 0, 0]
    unit_x = 2 if chroma in {_CHROMA_420, _CHROMA_422} else 1
    unit_y = 2 if chroma == _CHROMA_420 else 1
    return width - (crop[0] + crop[1]) * unit_x, height - (crop[2] + crop[3]) * unit_y


def _skip_to_sps_id(bits: Bits) -> None:
    bits.take(4)  # VPS id
    sub_layers = bits.take(3)
    bits.take(1 + _GENERAL_BITS + _LEVEL_BITS)
    present = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.take(2 * (_SUB_LAYERS - sub_layers))
    for has_profile, has_level in present:
        bits.take(_GENERAL_BITS * has_profile + _LEVEL_BITS * has_level)
