"""What can go wrong with publishing.

CamfleetError
└── PublishError
    ├── PacketSizeError   one packet is too large
    ├── PacketRateError   too many packets a second
    ├── PublishRefused    the fleet does not take them: its key, or what is in them
    ├── CannotPublish     the file cannot be written
    └── BadAnalytics      a line or file is none of packets
"""

from camfleet.errors import CamfleetError


class PublishError(CamfleetError):
    """Base; the text says what, where to, and what next."""


class PacketSizeError(PublishError, ValueError):
    """One packet is too large."""


class PacketRateError(PublishError):
    """Too many packets a second; this one was not published."""


class PublishRefused(PublishError):
    """The fleet does not take what was published before."""


class CannotPublish(PublishError):
    """The file cannot be written."""


class BadAnalytics(PublishError, ValueError):
    """It is none of packets."""
