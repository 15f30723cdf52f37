"""What a source of pictures is, whatever is behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.stop import Stop


@dataclass(frozen=True, slots=True)
class SourceDetails:
    """What the operator sees of the pictures; `codec` says when they are encoded anew."""

    codec: str
    width: int
    height: int
    fps: float | None


@dataclass(frozen=True, slots=True)
class Loop:
    """Where a repeating source is: rounds done, and time.monotonic() of this round's start."""

    count: int
    started_at: float


class Source(Protocol):
    """An opened source; it belongs to one thread, its attributes may be read by any."""

    details: SourceDetails
    loop: Loop | None

    @property
    def note(self) -> str | None:
        """What the operator should know although pictures come; it may change meanwhile."""

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield pictures when they are due, until `stop` is set.

        Raises:
            SourceFault: the source ended, stalled or turned out to be broken.
        """

    def truth(self) -> dict[str, Any] | None:
        """Return what the pictures truly show, for sources that know."""

    def close(self) -> None:
        """Release the device, file or connection."""
