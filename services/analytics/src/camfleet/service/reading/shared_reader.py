"""One connection and one decoder for all who look at the same address."""

from collections.abc import Callable
from dataclasses import replace

import av

from camfleet.service.reading.member import Member
from camfleet.video.frames import Frame
from camfleet.video.packets import Packet
from camfleet.video.reader import CameraReader, rtsp


class SharedReader:
    """A reader that hands everything to all its members. Its owner changes them under a lock.

    Nothing is copied for a member, and nobody may change what all of them see.
    """

    def __init__(
        self,
        key: str | None,
        first: Member,
        choose: Callable[["SharedReader"], str],
        ca_file: str | None,
    ) -> None:
        """`choose` names the address of a new connection, in the reader's thread.

        `first` is who will be admitted first: the thread bears its name.
        """
        self.key = key
        self.members: tuple[Member, ...] = ()  # replaced, never changed
        opening = rtsp(lambda: choose(self), ca_file)
        self.reader = CameraReader(first.name, opening, self, taking=first.taking)
        self.reader.taker = self

    def admit(self, member: Member) -> None:
        """One more; it gets what comes from now on, of a lost camera as soon as it is back."""
        counts = replace(self.reader.counts)  # its thread goes on counting
        is_connected = counts.connections > self.reader.ended
        member.account.open(counts, is_connected=is_connected)
        member.move_to(self.reader)
        self._change((*self.members, member))
        if not is_connected:
            self.reader.hurry()

    def dismiss(self, member: Member) -> None:
        """One less; the others notice nothing."""
        self._change(tuple(one for one in self.members if one is not member))
        member.account.close(self.reader.counts)

    def put(self, frame: Frame) -> None:
        """Give a frame to everybody; each chooses for itself."""
        for member in self.members:
            member.put(frame)

    def push_stream(self, stream: av.VideoStream) -> None:
        """A connection begins."""
        for member in self.members:
            member.push_stream(stream)

    def push_packet(self, packet: Packet) -> None:
        """One coded frame; before it is decoded, hear what everybody wants."""
        members, rest = self.members, self.reader.rest
        rest.wake_within_s = _least([member.rest.wake_within_s for member in members])
        for member in members:
            member.push_packet(packet, rest)

    def push_end(self) -> None:
        """The connection is over."""
        for member in self.members:
            member.push_end()

    def _change(self, members: tuple[Member, ...]) -> None:
        for member in members:
            member.account.split(self.reader.counts, len(members))
        self.members = members
        if members:
            self.reader.name = "+".join(sorted(member.name for member in members))


def _least(allowed: list[float | None]) -> float | None:
    """Who wants every picture gets it; else the shortest delay that anybody allows."""
    shortest = [one for one in allowed if one is not None]
    return min(shortest) if shortest and len(shortest) == len(allowed) else None
