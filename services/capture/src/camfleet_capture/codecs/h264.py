"""H.264 (ITU-T H.264): kinds of NAL units, parameter sets, picture size."""

from dataclasses import dataclass

from camfleet_capture.access_unit import CodecName
from camfleet_capture.codecs.nal import Bits, split_start_codes, unescape

NAME: CodecName = "h264"
IDR, SEI, SPS, PPS, DELIMITER = 5, 6, 7, 8, 9
PARAMETER_SETS = frozenset({SPS, PPS})
NOT_SENT = frozenset({DELIMITER, 10, 11, 12})  # delimiter, end of sequence, of stream, filler
SLICES = frozenset({1, 2, 3, 4, IDR})
RANDOM_ACCESS = frozenset({IDR})
_CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_CHROMA_420, _CHROMA_422, _CHROMA_444 = 1, 2, 3
_FLAT_LISTS = 8
_LISTS_4X4 = 6  # scaling lists that are small; they come first


def nal_type(nal: bytes) -> int:
    """Return nal_unit_type."""
    return nal[0] & 0x1F


def parse_header(extradata: bytes) -> tuple[int, list[bytes]]:
    """Return the size of the length fields (0: start codes) and the NAL units of a header."""
    if extradata[:1] == b"\1":
        return _parse_avcc(extradata)
    return 0, split_start_codes(extradata)


def _parse_avcc(record: bytes) -> tuple[int, list[bytes]]:
    nals: list[bytes] = []
    position = 5
    for mask in (0x1F, 0xFF):
        if position >= len(record):
            break
        count, position = record[position] & mask, position + 1
        for _ in range(count):
            size = int.from_bytes(record[position : position + 2])
            nals.append(record[position + 2 : position + 2 + size])
            position += 2 + size
    return (record[4] & 3) + 1, [nal for nal in nals if nal]


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """What a sequence parameter set says of its pictures."""

    profile: int
    chroma: int  # chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4
    width: int
    height: int


def parse_sps(nal: bytes) -> PictureFormat | None:
    """Read profile, chroma format and cropped size; None when the bits make no sense."""
    try:
        return _parse_sps(Bits(unescape(nal[1:])))
    except IndexError:
        return None


def picture_size(nal: bytes) -> tuple[int, int] | None:
    """Return the size a sequence parameter set tells; None for any other NAL unit."""
    picture = parse_sps(nal) if nal_type(nal) == SPS else None
    return (picture.width, picture.height) if picture else None


def parameter_set_id(nal: bytes) -> int:
    """Return seq_parameter_set_id or pic_parameter_set_id; 0 when the bits make no sense."""
    try:
        return Bits(nal[4 if nal_type(nal) == SPS else 1 :]).unsigned()
    except IndexError:
        return 0


def _parse_sps(bits: Bits) -> PictureFormat:
    profile = bits.take(8)
    bits.take(16)  # constraint flags, level
    bits.unsigned()  # id
    chroma = _read_chroma(bits) if profile in _CHROMA_PROFILES else 1
    _skip_order_count(bits)
    bits.unsigned()  # reference frames
    bits.take(1)  # gaps allowed
    width_mbs, height_units = bits.unsigned() + 1, bits.unsigned() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)  # direct 8x8 inference
    crop = [bits.unsigned() for _ in range(4)] if bits.take(1) else [0, 0, 0, 0]
    unit_x = 2 if chroma in {_CHROMA_420, _CHROMA_422} else 1
    unit_y = (2 if chroma == _CHROMA_420 else 1) * (2 - frames_only)
    width = width_mbs * 16 - (crop[0] + crop[1]) * unit_x
    height = height_units * 16 * (2 - frames_only) - (crop[2] + crop[3]) * unit_y
    return PictureFormat(profile, chroma, width, height)


def _read_chroma(bits: Bits) -> int:
    chroma = bits.unsigned()
    if chroma == _CHROMA_444:
        bits.take(1)  # separate colour planes
    bits.unsigned()  # luma depth
    bits.unsigned()  # chroma depth
    bits.take(1)  # transform bypass
    if bits.take(1):
        for number in range(12 if chroma == _CHROMA_444 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < _LISTS_4X4 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = _FLAT_LISTS
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order_count(bits: Bits) -> None:
    bits.unsigned()  # frame number bits
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
