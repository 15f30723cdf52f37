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
    copies: bool  # every packet gives its picture at once, in the packets' order

    def code(self, packet: VideoPacket, ticks: int, shown_at: float) -> Iterator[AccessUnit]:
        """Yield what this packet gives; `ticks` and `shown_at` are those of its picture."""

    def finish(self) -> Iterator[AccessUnit]:
        """Yield what was held back; no packet follows."""
