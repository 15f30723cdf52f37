"""A camera of which people watch one stream while analytics reads another, smaller one."""

from collections.abc import Callable

import av

from camfleet.service.live_ports import LiveCamera
from camfleet.service.playable import why_not_played
from camfleet.service.reading import Subscription
from camfleet.video.connection import Connection, ReaderCounts
from camfleet.video.packets import Packet
from camfleet.video.reader import CameraReader, PacketSink

MakeReader = Callable[[PacketSink, Callable[[str], None]], CameraReader]


class Unwatched:
    """The sink of a stream that nobody is to see."""

    def push_stream(self, stream: av.VideoStream) -> None:
        """Ignore it."""

    def push_packet(self, packet: Packet) -> None:
        """Ignore it."""

    def push_end(self) -> None:
        """Ignore it."""


class _Tap:
    """Lets one reader's stream through until it is closed: a reader ends later than it is told."""

    def __init__(self, live: LiveCamera) -> None:
        self._live, self._is_open = live, True

    def push_stream(self, stream: av.VideoStream) -> None:
        if self._is_open:
            self._live.push_stream(stream)

    def push_packet(self, packet: Packet) -> None:
        if self._is_open:
            self._live.push_packet(packet)

    def push_end(self) -> None:
        if self._is_open:
            self._live.push_end()

    def refuse(self, reason: str) -> None:
        if self._is_open:
            self._live.refuse(f"the stream to watch cannot be read: {reason}")

    def close(self) -> None:
        self._is_open = False


class OwnOrMade:
    """The sink of a stream that people watch as it is where browsers play it.

    Where they do not, a feed brings what capture makes of it while somebody watches. Not of Motion
    JPEG: encoding that costs more than the pictures that the page shows instead.
    """

    def __init__(self, live: LiveCamera, made: "WatchedStream") -> None:
        self._live, self._made = live, made
        self._is_own = True

    def push_stream(self, stream: av.VideoStream) -> None:
        """Choose; a stream of the same kind as before changes nothing."""
        coder = stream.codec_context
        codec = coder.codec.canonical_name
        reason = why_not_played(codec, coder.pix_fmt) if codec != "mjpeg" else None
        if self._is_own and reason:
            self._live.push_end()
            self._live.feed_with(self._made, f"H.264 made for browsers: {reason}")
        elif not self._is_own and not reason:
            self._live.feed_with(None)
        self._is_own = not reason
        if self._is_own:
            self._live.push_stream(stream)

    def push_packet(self, packet: Packet) -> None:
        """Pass on what is watched as it is."""
        if self._is_own:
            self._live.push_packet(packet)

    def push_end(self) -> None:
        """The same."""
        if self._is_own:
            self._live.push_end()


class WatchedStream:
    """A live picture's feed: a reader that copies, while somebody watches."""

    def __init__(self, live: LiveCamera, make_reader: MakeReader) -> None:
        self._live, self._make_reader = live, make_reader
        self._running: tuple[_Tap, CameraReader] | None = None

    @property
    def zero_s(self) -> float | None:
        """time.monotonic() at its stream time 0; None while nobody watches."""
        running = self._running
        return None if running is None else running[1].zero_s

    def begin(self) -> None:
        """Connect."""
        tap = _Tap(self._live)
        reader = self._make_reader(tap, tap.refuse)
        self._running = tap, reader
        reader.start()

    def end(self) -> None:
        """Let go of it; does not wait for the reader."""
        if self._running is not None:
            tap, reader = self._running
            self._running = None
            tap.close()
            reader.stop(0)


class TwoStreams:
    """A source whose frames come from one stream and whose live picture from another.

    Args:
        always: people watch nothing but `watched`; else the reader's sink decides that.
    """

    def __init__(
        self, read: Subscription, live: LiveCamera, watched: WatchedStream, *, always: bool = True
    ) -> None:
        self._read, self._live, self._watched = read, live, watched
        self._always = always
        self.slot, self.rest = read.slot, read.rest

    @property
    def connection(self) -> Connection:
        """Of the stream that is analysed."""
        return self._read.connection

    @property
    def counts(self) -> ReaderCounts:
        """Of the stream that is analysed."""
        return self._read.counts

    @property
    def reads_with(self) -> tuple[str, ...]:
        """The cameras that share that stream."""
        return self._read.reads_with

    @property
    def live_shift_s(self) -> float:
        """The clocks of both streams are compared by the arrival of their fastest frames."""
        read_s, watched_s = self._read.zero_s, self._watched.zero_s
        return 0.0 if read_s is None or watched_s is None else read_s - watched_s

    def start(self) -> None:
        """Read the one, and the other one for who watches."""
        self._read.start()
        if self._always:
            self._live.feed_with(self._watched)

    def stop(self) -> None:
        """End both."""
        self._live.feed_with(None)
        self._read.stop()
