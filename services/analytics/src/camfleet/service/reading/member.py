"""What one subscriber of a shared reader gets of it: frames, packets, the state of its rest."""

import threading
from collections.abc import Callable
from dataclasses import replace

import av

from camfleet.service.reading.account import Account
from camfleet.video.addresses import normal_form
from camfleet.video.frames import Frame, FrameSlot
from camfleet.video.packets import Packet
from camfleet.video.reader import CameraReader, PacketSink, Taking
from camfleet.video.resting import Rest


class Member:
    """Fed by the thread of the reader it is a member of, until it is closed."""

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        sink: PacketSink,
        taking: Taking = "newest",
    ) -> None:
        """`address` is asked anew for every connection: credentials change."""
        self.name, self.address, self.taking = name, address, taking
        self.slot = FrameSlot(keeps_all=taking == "every")
        self.rest, self.account = Rest(), Account()
        self.reader: CameraReader | None = None  # the last one, also after it was left
        self._sink, self._has_stream = sink, False
        self._lock, self._is_open = threading.Lock(), True
        self._newest_connection = self._connections_before = 0

    def key(self) -> str | None:
        """Which others it can read with; None: with nobody, or its address is not known yet.

        A film is read as fast as its one reader takes it.
        """
        if self.taking == "every":
            return None
        try:
            return normal_form(self.address())
        except ValueError:
            return None

    def move_to(self, reader: CameraReader) -> None:
        """Be fed by this one; the numbers of its connections follow those before."""
        self.reader, self._connections_before = reader, self._newest_connection

    def close(self) -> None:
        """Nothing comes any more once this has returned."""
        self.slot.close()
        with self._lock:
            self._is_open = False
            self._end_stream()

    def put(self, frame: Frame) -> None:
        """A frame; all members get the same one."""
        before = self._connections_before
        if before:
            frame = replace(frame, connection=frame.connection + before)
        with self._lock:
            if self._is_open:
                self._newest_connection = frame.connection
                self.slot.put(frame)

    def push_stream(self, stream: av.VideoStream) -> None:
        """A connection begins."""
        with self._lock:
            self._begin_stream(stream)

    def push_packet(self, packet: Packet, rest: Rest) -> None:
        """A coded frame, and how the reader rests."""
        self.rest.is_resting, self.rest.key_interval_s = rest.is_resting, rest.key_interval_s
        with self._lock:
            if not self._has_stream:
                self._begin_stream(packet.stream)  # it came while the connection was there
            if self._is_open:
                self._sink.push_packet(packet)

    def push_end(self) -> None:
        """The connection is over."""
        self.rest.is_resting = False
        with self._lock:
            self._end_stream()

    def _begin_stream(self, stream: av.VideoStream) -> None:
        if self._is_open:
            self._has_stream = True
            self._sink.push_stream(stream)

    def _end_stream(self) -> None:
        if self._has_stream:
            self._has_stream = False
            self._sink.push_end()
