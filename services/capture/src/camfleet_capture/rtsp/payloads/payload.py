"""What the packetiser and SDP ask of a codec's RTP payload format."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from camfleet_capture.access_unit import AccessUnit

PAYLOAD_LIMIT_BYTES = 1400
DYNAMIC_TYPE = 96


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """The part of SDP that names the codec; `parameters` is the fmtp line's text, or empty."""

    payload_type: int
    encoding: str
    parameters: str = ""


Payload = tuple[bytes, bytes | memoryview]  # its header, and the part of the picture behind it


class PayloadFormat(Protocol):
    """The module of one codec.

    Attributes:
        DELIMITER: the payload that begins the next unit and so ends this one; empty if none does.
    """

    PAYLOAD_TYPE: int
    DELIMITER: bytes

    def split(self, unit: AccessUnit, /) -> Iterator[Payload]:
        """Yield the payloads of a unit's packets."""

    def describe(self, key: AccessUnit, /) -> MediaDescription:
        """Describe the stream whose newest key picture is `key`."""
