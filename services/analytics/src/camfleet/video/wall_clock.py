"""The sender's clock, as its RTCP reports tell it."""

import struct
from datetime import UTC, datetime, timedelta

from camfleet.video.packets import Packet

_PRODUCER_TIME = struct.Struct("<qi")  # unix microseconds, flags
MAX_DISAGREEMENT = timedelta(seconds=10)  # beyond it the sender's clock is set wrong


class WallClock:
    """Maps stream time to the sender's time once a report has come. Not thread-safe.

    Args:
        of_film: the sender's clock is a film's own, which runs as fast as the film is read.
    """

    def __init__(self, *, of_film: bool = False) -> None:
        self._of_film = of_film
        self._zero: datetime | None = None  # the sender's time at stream time 0

    def read(self, packet: Packet, pts_s: float) -> None:
        """Take over the report that this packet carries, if it carries one."""
        if not packet.has_sidedata("prft"):
            return
        data = bytes(packet.get_sidedata("prft"))
        if len(data) >= _PRODUCER_TIME.size:
            microseconds = _PRODUCER_TIME.unpack_from(data)[0]
            self._zero = _zero_of(microseconds, pts_s)

    def captured_at(self, pts_s: float, received_at: datetime) -> datetime:
        """When the frame was sent; when it was received where the sender does not tell it."""
        if self._zero is None:
            return received_at
        moment = self._zero + timedelta(seconds=pts_s)
        is_true = self._of_film or abs(moment - received_at) < MAX_DISAGREEMENT
        return moment if is_true else received_at


def _zero_of(microseconds: int, pts_s: float) -> datetime | None:
    """The sender's time at stream time 0; None for a report that no clock can show."""
    try:
        return datetime.fromtimestamp(microseconds / 1e6, UTC) - timedelta(seconds=pts_s)
    except (OverflowError, ValueError, OSError):
        return None
