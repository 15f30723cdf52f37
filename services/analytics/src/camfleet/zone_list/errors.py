"""What can go wrong with zones.

CamfleetError
└── ZoneError
    ├── BadZones      the file is none of zones, or a zone in it is not as it must be
    └── UnknownZone   there is no zone of this name
"""

from collections.abc import Iterable

from camfleet.errors import CamfleetError


class ZoneError(CamfleetError):
    """Base; the text says which file and zone, what, and what next."""


class BadZones(ZoneError, ValueError):
    """Zones cannot be made of it."""


class UnknownZone(ZoneError, KeyError):
    """There is no zone of this name."""

    def __init__(self, name: object, known: Iterable[str]) -> None:
        super().__init__(f"no zone {name!r}; there are: {', '.join(known) or 'none'}")

    def __str__(self) -> str:
        """The text itself; KeyError would quote it."""
        return str(self.args[0])
