"""H.264 in RTP (RFC 6184): one NAL unit a packet, or FU-A."""

from base64 import b64encode
from collections.abc import Iterator

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h264
from camfleet_capture.rtsp.payloads.payload import (
    DYNAMIC_TYPE,
    PAYLOAD_LIMIT_BYTES,
    MediaDescription,
)

PAYLOAD_TYPE = DYNAMIC_TYPE
DELIMITER = b"\x09\xf0"
_FU_A = 28
_FRAGMENT_BYTES = PAYLOAD_LIMIT_BYTES - 2


def split(unit: AccessUnit) -> Iterator[bytes]:
    """Yield the payloads of a unit's packets."""
    for nal in unit.nals:
        if len(nal) <= PAYLOAD_LIMIT_BYTES:
            yield nal
            continue
        indicator, kind = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F
        for start in range(1, len(nal), _FRAGMENT_BYTES):
            end = start + _FRAGMENT_BYTES
            edges = (0x80 if start == 1 else 0) | (0x40 if end >= len(nal) else 0)
            yield bytes((indicator, edges | kind)) + nal[start:end]


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
