"""RTCP sender reports: they tie the RTP clock to the wall clock."""

import struct

_EPOCH_1900_S = 2_208_988_800
_SENDER_REPORT, _DESCRIPTION, _GOODBYE = 200, 202, 203
_CNAME = 1


def format_sender_report(
    source_id: int, wall_s: float, rtp_time: int, packets: int, octets: int
) -> bytes:
    """Return a compound packet: sender report and source description."""
    seconds = int(wall_s)
    fraction = int((wall_s - seconds) * (1 << 32))
    report = struct.pack(
        "!BBHIIIIII",
        0x80,
        _SENDER_REPORT,
        6,
        source_id,
        (seconds + _EPOCH_1900_S) & 0xFFFFFFFF,
        fraction,
        rtp_time & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    return report + _format_description(source_id)


def format_goodbye(source_id: int) -> bytes:
    """Return the packet that ends a stream."""
    return struct.pack("!BBHI", 0x81, _GOODBYE, 1, source_id)


def _format_description(source_id: int) -> bytes:
    name = b"camfleet"
    items = struct.pack("!IBB", source_id, _CNAME, len(name)) + name + b"\0"
    items += b"\0" * (-len(items) % 4)
    return struct.pack("!BBH", 0x81, _DESCRIPTION, len(items) // 4) + items
