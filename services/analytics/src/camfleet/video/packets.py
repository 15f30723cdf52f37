"""The type of a coded video packet."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import av

Packet: TypeAlias = "av.Packet[av.VideoStream]"
