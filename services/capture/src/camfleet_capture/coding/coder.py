"""What every coder does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeAlias

from camfleet_capture.access_unit import AccessUnit

if TYPE_CHECKING:
    import av

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"


class Coder(Protocol):
    """Makes access units of the packets of one stream."""

    codec: str  # as the operator reads it: "h264", or "vp9 to h264"

    @property
    def copies(self) -> bool:
        """Whether it passes pictures on as they are, which takes no time to speak of."""

    def code(
        self, packet: VideoPacket, ticks: int, shown_at: float, next_ticks: int | None = None, /
    ) -> Iterator[AccessUnit]:
        """Yield what this packet gives; `ticks` and `shown_at` are those of its picture.

        `next_ticks` are those of the packet after it, where the source knows; copies tell them.
        """

    def finish(self) -> Iterator[AccessUnit]:
        """Yield what was held back; no packet follows."""
