"""H.264 in RTP packets (RFC 6184, packetization mode 1) and its description (RFC 8866)."""

import base64
import re
import secrets
import struct
from collections.abc import Iterator

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
_LARGEST = 1400  # bytes of payload; fits every path with its headers
_START_CODE = re.compile(rb"\x00\x00\x01")
_SPS, _PPS, _FU_A = 7, 8, 28
_TYPE, _NRI = 0x1F, 0x60
_START, _END, _MARKER = 0x80, 0x40, 0x80
_HEADER = struct.Struct("!BBHII")


def nal_units(coded: bytes) -> list[bytes]:
    """The NAL units of one coded frame (Annex B of H.264), without start codes."""
    begins = [match.end() for match in _START_CODE.finditer(coded)]
    ends = [begin - 3 for begin in begins[1:]] + [len(coded)]
    units = (coded[begin:end] for begin, end in zip(begins, ends, strict=True))
    return [unit.rstrip(b"\x00") for unit in units if unit.rstrip(b"\x00")]


def parameter_sets(units: list[bytes]) -> list[bytes]:
    """What a decoder must know beforehand: SPS and PPS."""
    return [unit for unit in units if unit[0] & _TYPE in {_SPS, _PPS}]


class Packetiser:
    """Numbers the packets of one stream. Not thread-safe."""

    def __init__(self) -> None:
        self._sequence = secrets.randbelow(1 << 16)
        self._source = secrets.randbits(32)

    def packets(self, units: list[bytes], time: int) -> list[bytes]:
        """The RTP packets of one frame; `time` on the 90 kHz clock."""
        payloads = [payload for unit in units for payload in _payloads(unit)]
        last = len(payloads) - 1
        return [
            self._header(time, is_last=index == last) + payload
            for index, payload in enumerate(payloads)
        ]

    def _header(self, time: int, *, is_last: bool) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        kind = PAYLOAD_TYPE | (_MARKER if is_last else 0)
        return _HEADER.pack(0x80, kind, self._sequence, time & 0xFFFFFFFF, self._source)


def _payloads(unit: bytes) -> Iterator[bytes]:
    """The unit itself, or fragments of it (FU-A)."""
    if len(unit) <= _LARGEST:
        yield unit
        return
    indicator, kind = (unit[0] & (0x80 | _NRI)) | _FU_A, unit[0] & _TYPE
    body = unit[1:]
    for begin in range(0, len(body), _LARGEST - 2):
        part = body[begin : begin + _LARGEST - 2]
        flags = (_START if begin == 0 else 0) | (_END if begin + len(part) == len(body) else 0)
        yield bytes((indicator, flags | kind)) + part


def describe(sets: list[bytes]) -> str:
    """The session's description."""
    coded = ",".join(base64.b64encode(one).decode() for one in sets)
    sps = next((one for one in sets if one[0] & _TYPE == _SPS), b"\x67\x42\xe0\x1f")
    profile = f"packetization-mode=1;profile-level-id={sps[1:4].hex()}"
    format_parameters = f"{profile};sprop-parameter-sets={coded}"
    lines = (
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=camfleet",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} {format_parameters}",
        "a=control:video",
    )
    return "\r\n".join(lines) + "\r\n"
