"""Fragmented MP4 of one H.264 track: the init segment and one-frame fragments (ISO 14496-12, -15).

Written here rather than by a muxer library because a library holds each frame until the next one
comes, to learn its duration: one frame of delay that a live picture need not have.
"""

from dataclasses import dataclass
from struct import pack

TIMESCALE = 90_000
_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_KEY_SAMPLE, _OTHER_SAMPLE = 0x02000000, 0x01010000
_TRACK = 1
_MOOF_SIZE = 104  # of media_fragment, whose moof has always the same boxes


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame in the units of TIMESCALE."""

    data: bytes
    decode_time: int
    show_time: int
    duration: int
    is_key: bool


def _box(kind: bytes, *parts: bytes) -> bytes:
    size = 8 + sum(map(len, parts))
    return pack(">I4s", size, kind) + b"".join(parts)


def _versioned(kind: bytes, version_and_flags: int, *parts: bytes) -> bytes:
    return _box(kind, pack(">I", version_and_flags), *parts)


def init_segment(sps: bytes, pps: bytes, size: tuple[int, int]) -> bytes:
    """File type and track description of a stream with these parameter sets and (width, height)."""
    brands = _box(b"ftyp", b"iso5", pack(">I", 512), b"iso5iso6mp41")
    extends = _versioned(b"trex", 0, pack(">5I", _TRACK, 1, 0, 0, 0))
    movie = _box(b"moov", _movie_header(), _track(sps, pps, size), _box(b"mvex", extends))
    return brands + movie


def _movie_header() -> bytes:
    times = pack(">4I", 0, 0, TIMESCALE, 0)
    return _versioned(
        b"mvhd", 0, times, pack(">IH10x", 0x10000, 0x100), _MATRIX, bytes(24), pack(">I", 2)
    )


def _track(sps: bytes, pps: bytes, size: tuple[int, int]) -> bytes:
    width, height = size
    shape = pack(">2I", width << 16, height << 16)
    header = _versioned(
        b"tkhd",
        3,
        pack(">5I", 0, 0, _TRACK, 0, 0),
        bytes(8),
        pack(">4H", 0, 0, 0, 0),
        _MATRIX,
        shape,
    )
    return _box(b"trak", header, _media(sps, pps, size))


def _media(sps: bytes, pps: bytes, size: tuple[int, int]) -> bytes:
    times = _versioned(b"mdhd", 0, pack(">4IHH", 0, 0, TIMESCALE, 0, 0x55C4, 0))
    handler = _versioned(b"hdlr", 0, pack(">I4s12x", 0, b"vide"), b"camera\0")
    place = _box(b"dinf", _versioned(b"dref", 0, pack(">I", 1), _versioned(b"url ", 1)))
    empty = (
        _versioned(b"stts", 0, bytes(4)),
        _versioned(b"stsc", 0, bytes(4)),
        _versioned(b"stsz", 0, bytes(8)),
        _versioned(b"stco", 0, bytes(4)),
    )
    described = _versioned(b"stsd", 0, pack(">I", 1), _sample_entry(sps, pps, size))
    table = _box(b"stbl", described, *empty)
    return _box(
        b"mdia", times, handler, _box(b"minf", _versioned(b"vmhd", 1, bytes(8)), place, table)
    )


def _sample_entry(sps: bytes, pps: bytes, size: tuple[int, int]) -> bytes:
    picture = pack(">6xH16x2H2I4xH32xHH", 1, *size, 0x480000, 0x480000, 1, 24, 0xFFFF)
    record = (
        bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1])
        + pack(">H", len(sps))
        + sps
        + b"\1"
        + pack(">H", len(pps))
        + pps
    )
    return _box(b"avc1", picture, _box(b"avcC", record + _avcc_extension(sps)))


def _avcc_extension(sps: bytes) -> bytes:
    """High profiles repeat chroma format and depths; 4:2:0 in 8 bits is what browsers play."""
    plain = {66, 77, 88}
    return b"" if sps[1] in plain else bytes([0xFD, 0xF8, 0xF8, 0])


def media_fragment(number: int, sample: Sample) -> bytes:
    """One frame as a movie fragment; `number` counts up from 1."""
    run = _versioned(
        b"trun",
        0x01000F01,
        pack(
            ">IiIIIi",
            1,
            _MOOF_SIZE + 8,
            sample.duration,
            len(sample.data),
            _KEY_SAMPLE if sample.is_key else _OTHER_SAMPLE,
            sample.show_time - sample.decode_time,
        ),
    )
    track = _box(
        b"traf",
        _versioned(b"tfhd", 0x020000, pack(">I", _TRACK)),
        _versioned(b"tfdt", 0x01000000, pack(">Q", sample.decode_time)),
        run,
    )
    return _box(b"moof", _versioned(b"mfhd", 0, pack(">I", number)), track) + _box(
        b"mdat", sample.data
    )
