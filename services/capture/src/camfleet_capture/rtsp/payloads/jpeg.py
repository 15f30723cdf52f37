"""JPEG in RTP (RFC 2435), with the picture's own quantisation tables."""

import struct
from collections.abc import Iterator

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs.jpeg import BrokenJpeg, JpegPicture, parse_jpeg
from camfleet_capture.rtsp.payloads.payload import (
    PAYLOAD_LIMIT_BYTES,
    MediaDescription,
    Payload,
)

PAYLOAD_TYPE = 26
DELIMITER = b""
_TABLES_INSIDE, _WITH_RESTARTS, _WHOLE = 255, 64, 0xFFFF
_BLOCK = 8


def split(unit: AccessUnit) -> Iterator[Payload]:
    """Yield the payloads of a unit's packets; none when it is not a picture of the kind."""
    try:
        picture = parse_jpeg(unit.nals[0])
    except BrokenJpeg:
        return
    if picture.obstacle:
        return
    kind, restarts, tables = _headers(picture)
    sizes = bytes((kind, _TABLES_INSIDE, picture.width // _BLOCK, picture.height // _BLOCK))
    start = 0
    while start < len(picture.scan):
        head = start.to_bytes(4) + sizes + restarts + (b"" if start else tables)
        end = start + PAYLOAD_LIMIT_BYTES - len(head)
        yield head, picture.scan[start:end]
        start = end


def _headers(picture: JpegPicture) -> tuple[int, bytes, bytes]:
    """Return type, restart header and quantisation tables."""
    luma, chroma = picture.tables
    tables = struct.pack("!BBH", 0, 0, len(luma) + len(chroma)) + luma + chroma
    kind = picture.kind or 0
    if not picture.restart_interval:
        return kind, b"", tables
    return kind | _WITH_RESTARTS, struct.pack("!HH", picture.restart_interval, _WHOLE), tables


def describe(_key: AccessUnit) -> MediaDescription:
    """Describe the stream; every packet says the rest."""
    return MediaDescription(PAYLOAD_TYPE, "JPEG")
