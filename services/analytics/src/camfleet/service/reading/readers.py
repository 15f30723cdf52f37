"""Which address is read by which reader, and who reads with whom."""

import threading
from collections.abc import Callable

from camfleet.service.reading.member import Member
from camfleet.service.reading.shared_reader import SharedReader
from camfleet.video.connection import Connection, ReaderCounts
from camfleet.video.reader import PacketSink, Taking


class NobodyReads(OSError):
    """All members of a reader read elsewhere by now."""


class Readers:
    """One reader for an address, as long as somebody wants it. Thread-safe.

    Whose address or credentials have become others reads on elsewhere from the next connection on.
    """

    def __init__(self, ca_file: str | None = None) -> None:
        """`ca_file` has the certificates that cameras and capture are checked against."""
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._by_key: dict[str, SharedReader] = {}
        self._by_member: dict[Member, SharedReader] = {}

    def join(self, member: Member) -> None:
        """Read for it, too."""
        key = member.key()
        with self._lock:
            self._admit(member, key)

    def leave(self, member: Member, timeout_s: float) -> None:
        """Read for it no longer; the last one waits for the end of the reader, so long at most."""
        with self._lock:
            left = self._dismiss(member)
        member.close()
        if left is not None and not left.members:
            left.reader.stop(timeout_s)

    def beside(self, member: Member) -> tuple[str, ...]:
        """The names of those that read with it."""
        shared = self._by_member.get(member)
        members = () if shared is None else shared.members
        return tuple(one.name for one in members if one is not member)

    def _admit(self, member: Member, key: str | None) -> None:
        shared = None if key is None else self._by_key.get(key)
        if shared is not None:
            shared.admit(member)
        else:
            shared = SharedReader(key, member, self._choose_address, self._ca_file)
            shared.admit(member)
            shared.reader.start()
        self._by_member[member] = shared
        if key is not None:
            self._by_key[key] = shared

    def _dismiss(self, member: Member) -> SharedReader | None:
        shared = self._by_member.pop(member, None)
        if shared is None:
            return None
        shared.dismiss(member)
        if not shared.members and shared.key is not None:
            del self._by_key[shared.key]
        return shared

    def _choose_address(self, shared: SharedReader) -> str:
        """For a new connection, in the reader's thread.

        Raises:
            NobodyReads: there is nobody left.
            ValueError: the address cannot be worked out; the text says why.
        """
        for member in shared.members:
            key = member.key()
            if key != shared.key:
                self._move(member, shared, key)
        members = shared.members
        if not members:
            raise NobodyReads
        return members[0].address()

    def _move(self, member: Member, before: SharedReader, key: str | None) -> None:
        with self._lock:
            if self._by_member.get(member) is not before:  # it has left meanwhile
                return
            self._dismiss(member)
            if not before.members:
                before.reader.end()
            self._admit(member, key)


class Subscription:
    """A pipeline's source: its part in a reader. start and stop belong to one owner."""

    live_shift_s = 0.0  # the sink's clock is the frames' own

    def __init__(
        self,
        readers: Readers,
        name: str,
        address: Callable[[], str],
        sink: PacketSink,
        *,
        is_film: bool = False,
    ) -> None:
        """Nothing is opened yet.

        Args:
            readers: of all cameras.
            name: of the camera.
            address: asked anew for every connection.
            sink: gets the coded stream.
            is_film: its sender waits for us, so that every frame is taken; it is not shared.
        """
        taking: Taking = "every" if is_film else "newest"
        self._readers, self._member = readers, Member(name, address, sink, taking)
        self.slot, self.rest = self._member.slot, self._member.rest

    def start(self) -> None:
        """Begin to connect, or take part in what is read already."""
        self._readers.join(self._member)

    def stop(self, timeout_s: float = 0.5) -> None:
        """Take part no longer."""
        self._readers.leave(self._member, timeout_s)

    @property
    def connection(self) -> Connection:
        """What is known of the connection that all share."""
        reader = self._member.reader
        return Connection() if reader is None else reader.connection

    @property
    def counts(self) -> ReaderCounts:
        """This pipeline's part of what was read."""
        reader = self._member.reader
        return self._member.account.read(ReaderCounts() if reader is None else reader.counts)

    @property
    def zero_s(self) -> float | None:
        """time.monotonic() at stream time 0."""
        return None if self._member.reader is None else self._member.reader.zero_s

    @property
    def reads_with(self) -> tuple[str, ...]:
        """The cameras that share the reader."""
        return self._readers.beside(self._member)
