"""H.264 in RTP (RFC 6184): one NAL unit a packet, or FU-A."""

from base64 import b64encode
from collections.abc import Iterator

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h264
from camfleet_capture.rtsp.payloads.payload import (
    DYNAMIC_TYPE,
    PAYLOAD_LIMIT_BYTES,
    MediaDescription,
    Payload,
)

PAYLOAD_TYPE = DYNAMIC_TYPE
DELIMITER = b"\x09\xf0"
_FU_A, _START, _END = 28, 0x80, 0x40
_FRAGMENT_BYTES = PAYLOAD_LIMIT_BYTES - 2


def split(unit: AccessUnit) -> Iterator[Payload]:
    """Yield the payloads of a unit's packets."""
    for nal in unit.nals:
        if len(nal) <= PAYLOAD_LIMIT_BYTES:
            yield b"", nal
            continue
        indicator, kind = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F
        first, middle, last = (bytes((indicator, edge | kind)) for edge in (_START, 0, _END))
        view, final = memoryview(nal), len(nal) - _FRAGMENT_BYTES
        yield first, view[1 : 1 + _FRAGMENT_BYTES]
        for start in range(1 + _FRAGMENT_BYTES, len(nal), _FRAGMENT_BYTES):
            yield middle if start < final else last, view[start : start + _FRAGMENT_BYTES]


def describe(key: AccessUnit) -> MediaDescription:
    """Describe the stream with its parameter sets."""
    sets = [nal for nal in key.nals if h264.nal_type(nal) in h264.PARAMETER_SETS]
    profile = next((nal[1:4].hex() for nal in sets if h264.nal_type(nal) == h264.SPS), "42001f")
    sprop = ",".join(b64encode(nal).decode() for nal in sets)
    return MediaDescription(
        PAYLOAD_TYPE,
        "H264",
        f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}",
    )
