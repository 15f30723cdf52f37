"""The sequence parameter set of H.264: what a browser must know of a stream before it plays."""

from dataclasses import dataclass

from camfleet.service.live.bits import BitReader
from camfleet.service.live.nal import unescape

_PROFILES_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_EXTENDED_ASPECT = 255
_CHROMA_420, _CHROMA_422, _CHROMA_444 = 1, 2, 3
_LISTS_4X4 = 6  # scaling lists that are small; they come first


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """One stream's shape; `reorder_depth` is None where the stream does not say it."""

    codec: str  # RFC 6381, "avc1.64001f"
    width: int
    height: int
    reorder_depth: int | None


_MOST_CYCLE_OFFSETS = 255  # more is not H.264 but a broken stream


@dataclass(frozen=True, slots=True)
class _Size:
    width: int
    height: int


def parse_sps(unit: bytes) -> SequenceParameters:
    """Read a whole SPS unit, its one-byte header included."""
    codec = f"avc1.{unit[1]:02x}{unit[2]:02x}{unit[3]:02x}"
    bits = BitReader(unescape(unit[4:]))
    bits.unsigned()  # seq_parameter_set_id
    chroma = _read_chroma(bits) if unit[1] in _PROFILES_WITH_CHROMA else _CHROMA_420
    bits.unsigned()  # log2_max_frame_num_minus4
    order_type = _skip_picture_order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    size = _read_size(bits, chroma)
    depth = _read_reorder_depth(bits) if bits.flag() else None
    if order_type == 2:  # noqa: PLR2004 - type 2 means: output order is decoding order
        depth = 0
    return SequenceParameters(codec, size.width, size.height, depth)


def _read_chroma(bits: BitReader) -> int:
    chroma = bits.unsigned()
    if chroma == _CHROMA_444:
        bits.flag()  # separate_colour_plane_flag
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.flag()  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():
        for index in range(12 if chroma == _CHROMA_444 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < _LISTS_4X4 else 64)
    return chroma


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: BitReader) -> int:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.flag()
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), _MOST_CYCLE_OFFSETS)):
            bits.signed()
    return kind


def _read_size(bits: BitReader, chroma: int) -> _Size:
    columns = bits.unsigned() + 1
    rows = bits.unsigned() + 1
    fields = 1 if bits.flag() else 2  # frame_mbs_only_flag
    if fields == 2:  # noqa: PLR2004 - interlaced
        bits.flag()
    bits.flag()  # direct_8x8_inference_flag
    left, right, top, bottom = _read_crop(bits)
    unit_x = 2 if chroma in (_CHROMA_420, _CHROMA_422) else 1
    unit_y = (2 if chroma == _CHROMA_420 else 1) * fields
    return _Size(
        columns * 16 - unit_x * (left + right), rows * 16 * fields - unit_y * (top + bottom)
    )


def _read_crop(bits: BitReader) -> tuple[int, int, int, int]:
    if not bits.flag():
        return 0, 0, 0, 0
    return bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()


def _read_reorder_depth(bits: BitReader) -> int | None:
    """Walk the usability information down to max_num_reorder_frames."""
    _skip_picture_description(bits)
    if bits.flag():  # timing_info_present_flag
        bits.bits(65)
    decoder_models = [_skip_decoder_model(bits) for _ in range(2)]
    if any(decoder_models):
        bits.flag()  # low_delay_hrd_flag
    bits.flag()  # pic_struct_present_flag
    if not bits.flag():  # bitstream_restriction_flag
        return None
    bits.flag()  # motion_vectors_over_pic_boundaries_flag
    for _ in range(4):  # two limits of sizes, two of motion vector lengths
        bits.unsigned()
    return bits.unsigned()


def _skip_picture_description(bits: BitReader) -> None:
    if bits.flag() and bits.bits(8) == _EXTENDED_ASPECT:
        bits.bits(32)
    if bits.flag():  # overscan_info_present_flag
        bits.flag()
    if bits.flag():  # video_signal_type_present_flag
        bits.bits(4)
        if bits.flag():
            bits.bits(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.unsigned()
        bits.unsigned()


def _skip_decoder_model(bits: BitReader) -> bool:
    if not bits.flag():
        return False
    count = bits.unsigned() + 1
    bits.bits(8)
    for _ in range(count):
        bits.unsigned()
        bits.unsigned()
        bits.flag()
    bits.bits(20)
    return True
