"""One packetisation of a stream, shared by all readers that play it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit, CodecName, wall_time
from camfleet_capture.rtsp.outputs import Output
from camfleet_capture.rtsp.packetiser import PacketGroup, Packetiser
from camfleet_capture.rtsp.rtcp import format_goodbye, format_sender_report
from camfleet_capture.stream import Stream

BACKLOG_LIMIT_BYTES = 4_000_000
HOLD_BYTES = 500_000  # what a reader may have left to take when the source can wait for it
REPORT_INTERVAL_S = 2.0
STALL_LIMIT_S = 60.0
_GROUP_LIMIT = 600


@dataclass(slots=True)
class Reader:
    """One playing session: its output and what it got so far."""

    output: Output
    hang_up: Callable[[], None]  # at once
    finish: Callable[[], None]  # after what was sent
    packets: int = 0
    octets: int = 0
    next_report_at: float = 0.0
    slow_since: float | None = None
    held_since: float | None = None  # since when it has taken nothing, while a source waits for it
    held_bytes: int = 0  # what it had left to take then


class Broadcast:
    """Packetises a stream while somebody plays it, and feeds every reader.

    A reader whose backlog passes the limit gets nothing until a key picture finds it drained;
    one that stays so for a minute is hung up on. The others never wait for it.
    """

    def __init__(self, stream: Stream, *, with_delimiter: bool) -> None:
        self._stream = stream
        self._packetiser = Packetiser(with_delimiter=with_delimiter)
        self._group: list[PacketGroup] = []
        self._readers: tuple[Reader, ...] = ()
        self._codec: CodecName | None = None
        self.lock = stream.lock

    @property
    def endings(self) -> int:
        """How often the readers of its stream were told that it is over."""
        return self._stream.endings

    def prepare(self) -> list[PacketGroup]:
        """Return the packets a new reader begins with: all pictures since the newest key.

        None comes between this and `join` as long as the event loop does nothing else.
        """
        with self.lock:
            self._stream.wait_for_loop()
            if not self._readers:
                units = self._stream.group
                self._codec = units[-1].codec if units else None
                self._group = [self._packetiser.packetise(unit) for unit in units]
            return list(self._group)

    def join(self, reader: Reader, start: list[PacketGroup]) -> None:
        """Feed `reader` from now on, beginning with what `prepare` returned just before."""
        with self.lock:
            if not self._readers:
                self._stream.listen(self)
            if not start:
                reader.slow_since = time.monotonic()
            self._readers = (*self._readers, reader)
            self._stream.readers += 1
            for group in start:
                self._send(reader, group)

    def leave(self, reader: Reader) -> None:
        """Feed `reader` no longer."""
        with self.lock:
            if reader not in self._readers:
                return
            self._readers = tuple(one for one in self._readers if one is not reader)
            self._stream.readers -= 1
            reader.output.close()
            if not self._readers:
                self._stream.unlisten(self)
                self._group = []

    def takes_at_once(self, unit: AccessUnit) -> bool:
        """Whether every reader does; another codec ends them, which is the event loop's."""
        size_bytes = unit.size_bytes
        return unit.codec == self._codec and all(
            reader.output.takes_at_once(size_bytes) for reader in self._readers
        )

    def deliver(self, unit: AccessUnit) -> None:
        """Packetise the next unit and send it to every reader; another codec is another stream."""
        if unit.codec != self._codec:
            if self._codec:
                self.end()
            self._codec = unit.codec
        group = self._packetiser.packetise(unit)
        if group.is_key or len(self._group) > _GROUP_LIMIT:
            self._group = []
        if group.is_key or self._group:
            self._group.append(group)
        for reader in self._readers:
            self._send(reader, group)

    @property
    def is_behind(self) -> bool:
        """Whether a reader has much to take; one that takes nothing for long is hung up on."""
        held = [reader for reader in self._readers if self._is_held_by(reader)]  # asks all of them
        return bool(held)

    def forget(self) -> None:
        """Give new readers nothing older than the next key picture."""
        self._group = []

    def end(self) -> None:
        """Say goodbye to every reader and hang up, once it has what was sent."""
        goodbye = format_goodbye(self._packetiser.source_id)
        for reader in self._readers:
            reader.output.send_report(goodbye)
            reader.finish()

    def _send(self, reader: Reader, group: PacketGroup) -> None:
        if not self._keeps_up(reader, group):
            self._stream.dropped += 1
            return
        reader.output.send(group)
        reader.packets += group.count
        reader.octets += group.octets
        now = time.monotonic()
        if now >= reader.next_report_at:
            reader.next_report_at = now + REPORT_INTERVAL_S
            reader.output.send_report(self._report(reader, group, now))

    def _is_held_by(self, reader: Reader) -> bool:
        if reader.output.backlog_bytes <= HOLD_BYTES:
            reader.held_since = None
            return False
        left_bytes = reader.output.left_bytes
        if reader.held_since is None or left_bytes < reader.held_bytes:
            reader.held_since, reader.held_bytes = time.monotonic(), left_bytes
        if time.monotonic() - reader.held_since > STALL_LIMIT_S:
            reader.hang_up()
        return True

    def _keeps_up(self, reader: Reader, group: PacketGroup) -> bool:
        full = reader.output.backlog_bytes > BACKLOG_LIMIT_BYTES
        if reader.slow_since is None:
            if full:
                reader.slow_since = time.monotonic()
            return not full
        if group.is_key and not full:
            reader.slow_since = None
            return True
        if full and time.monotonic() - reader.slow_since > STALL_LIMIT_S:
            reader.hang_up()
        return False

    def _report(self, reader: Reader, group: PacketGroup, now: float) -> bytes:
        rtp_now = group.rtp_time + round((now - group.shown_at) * CLOCK_HZ)
        source_id = self._packetiser.source_id
        return format_sender_report(
            source_id, wall_time(now), rtp_now, reader.packets, reader.octets
        )
