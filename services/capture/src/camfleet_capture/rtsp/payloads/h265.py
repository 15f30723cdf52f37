"""H.265 in RTP (RFC 7798): one NAL unit a packet, or fragmentation units."""

from base64 import b64encode
from collections.abc import Iterator

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h265
from camfleet_capture.rtsp.payloads.payload import (
    DYNAMIC_TYPE,
    PAYLOAD_LIMIT_BYTES,
    MediaDescription,
    Payload,
)

PAYLOAD_TYPE = DYNAMIC_TYPE
DELIMITER = b"\x46\x01\x50"
_FRAGMENTATION_UNIT = 49
_FRAGMENT_BYTES = PAYLOAD_LIMIT_BYTES - 3
_NAMES = {h265.VPS: "sprop-vps", h265.SPS: "sprop-sps", h265.PPS: "sprop-pps"}


def split(unit: AccessUnit) -> Iterator[Payload]:
    """Yield the payloads of a unit's packets."""
    for nal in unit.nals:
        if len(nal) <= PAYLOAD_LIMIT_BYTES:
            yield b"", nal
            continue
        head = bytes((nal[0] & 0x81 | _FRAGMENTATION_UNIT << 1, nal[1]))
        kind, view = h265.nal_type(nal), memoryview(nal)
        for start in range(h265.HEADER_BYTES, len(nal), _FRAGMENT_BYTES):
            end = start + _FRAGMENT_BYTES
            first = 0x80 if start == h265.HEADER_BYTES else 0
            last = 0x40 if end >= len(nal) else 0
            yield head + bytes((first | last | kind,)), view[start:end]


def describe(key: AccessUnit) -> MediaDescription:
    """Describe the stream with its profile and parameter sets."""
    sets: dict[int, list[bytes]] = {}
    for nal in key.nals:
        sets.setdefault(h265.nal_type(nal), []).append(nal)
    sprops = [
        f"{name}={','.join(b64encode(nal).decode() for nal in sets[kind])}"
        for kind, name in _NAMES.items()
        if kind in sets
    ]
    profile = h265.parse_profile(sets[h265.SPS][0]) if h265.SPS in sets else None
    levels = (
        f"profile-space={profile.space};profile-id={profile.profile};"
        f"tier-flag={profile.tier};level-id={profile.level};"
        if profile
        else ""
    )
    return MediaDescription(PAYLOAD_TYPE, "H265", levels + ";".join(sprops))
