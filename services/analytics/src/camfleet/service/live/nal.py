"""The NAL units of H.264: split both packagings, tell what is inside, put them into MP4 samples."""

from collections.abc import Iterable

IDR, SPS, PPS, DELIMITER, FILLER = 5, 7, 8, 9, 12
_NOT_IN_A_SAMPLE = frozenset({SPS, PPS, DELIMITER, FILLER})
_START_CODE = b"\0\0\1"


def kind_of(unit: bytes) -> int:
    """The nal_unit_type."""
    return unit[0] & 0x1F


def split_annexb(data: bytes) -> list[bytes]:
    """Units between start codes; trailing zero bytes belong to no unit."""
    starts: list[int] = []
    found = data.find(_START_CODE)
    while found >= 0:
        starts.append(found + 3)
        found = data.find(_START_CODE, found + 3)
    ends = [start - 3 for start in starts[1:]] + [len(data)]
    units = (data[start:end].rstrip(b"\0") for start, end in zip(starts, ends, strict=True))
    return [unit for unit in units if unit]


def split_lengths(data: bytes, length_size: int) -> list[bytes]:
    """Units that each begin with their length, as MP4 keeps them; a cut-off unit is left out."""
    units: list[bytes] = []
    at = 0
    while at + length_size <= len(data):
        size = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if size and at + size <= len(data):
            units.append(data[at : at + size])
        at += size
    return units


def is_avcc(extradata: bytes) -> bool:
    """True for MP4's avcC record, False for Annex B."""
    return len(extradata) > 6 and extradata[0] == 1  # noqa: PLR2004 - an empty avcC has seven bytes


def avcc_length_size(extradata: bytes) -> int:
    """How many bytes the lengths of a stream with this avcC take."""
    return (extradata[4] & 3) + 1


def split_extradata(extradata: bytes) -> list[bytes]:
    """Parameter sets of a stream's extradata, whatever its packaging."""
    if not is_avcc(extradata):
        return split_annexb(extradata)
    units: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(extradata):
            break
        count = extradata[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            units.append(extradata[at + 2 : at + 2 + size])
            at += 2 + size
    return [unit for unit in units if unit]


def to_sample(units: Iterable[bytes]) -> bytes:
    """An MP4 sample; parameter sets go into the init segment, delimiters and filler nowhere."""
    kept = (unit for unit in units if kind_of(unit) not in _NOT_IN_A_SAMPLE)
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)


def unescape(unit: bytes) -> bytes:
    """The unit without its emulation prevention bytes."""
    parts = unit.split(b"\0\0\3")
    return b"\0\0".join(parts)
