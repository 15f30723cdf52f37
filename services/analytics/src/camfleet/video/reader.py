"""Reads one camera in a thread: connects, decodes, keeps the newest frame, starts again."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import av
import av.error
from av.container import InputContainer

from camfleet.video.addresses import RefusedAddress, check_address
from camfleet.video.backoff import Backoff
from camfleet.video.connection import Connection, ReaderCounts, ReaderState
from camfleet.video.explaining import Explanation, explain_at_capture
from camfleet.video.frames import Frame, FrameSlot, FrameTaker
from camfleet.video.lag import Lag
from camfleet.video.packets import Packet
from camfleet.video.rate import told_rate
from camfleet.video.resting import Rest, RestingDecoder, Shown
from camfleet.video.wall_clock import WallClock
from camfleet_contracts.clock import now_utc
from camfleet_contracts.redaction import redact

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 2.0  # FFmpeg gives up after the second one: stalls last at most 4 s
ONE_THREAD_PIXELS = 1920 * 1080 * 30  # a second; a core decodes five times as many
OPTIONS = {
    "rtsp_flags": "prefer_tcp",
    "analyzeduration": "100000",
    "fpsprobesize": "0",
    "user_agent": "camfleet-analytics",
}


class PacketSink(Protocol):
    """Gets the coded stream, e.g. live video; called in the reader's thread, must not block."""

    def push_stream(self, stream: av.VideoStream) -> None:
        """A connection begins."""

    def push_packet(self, packet: Packet) -> None:
        """One coded frame."""

    def push_end(self) -> None:
        """The connection is over."""


Taking = Literal["newest", "every", "packets"]
Opening = Callable[[], AbstractContextManager[InputContainer]]


def _ignore(_: str) -> None:
    """Nobody asks why."""


def rtsp(address: Callable[[], str], ca_file: str | None = None) -> Opening:
    """Open what is at an address, which is asked anew each time: credentials change.

    Raises, when it opens:
        RefusedAddress: it is not an address of RTSP.
    """
    options = OPTIONS | ({"tls_verify": "1", "ca_file": ca_file} if ca_file else {})

    def open_it() -> InputContainer:
        checked = check_address(address())
        return av.open(
            checked,
            options=options,
            metadata_errors="replace",
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )

    return open_it


class CameraReader:
    """A thread that always tries to be connected. start() and stop() belong to one owner."""

    def __init__(
        self,
        name: str,
        opening: Opening,
        sink: PacketSink,
        *,
        taking: Taking = "newest",
        lost: Callable[[str], None] = _ignore,
        explain: Explanation | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            name: for the log.
            opening: called for every connection, e.g. `rtsp(...)`.
            sink: gets the coded stream.
            taking: of a film whose sender waits for us every wanted frame; "packets" decodes none.
            lost: told the reason, in the reader's thread, when there is no connection.
            explain: what FFmpeg's errors mean; None: what they mean at capture.
        """
        self.name = name
        self._real_time, self._decodes = taking != "every", taking != "packets"
        self.slot = FrameSlot(keeps_all=not self._real_time)
        self.taker: FrameTaker = self.slot  # who else gets the frames is set before the start
        self.counts = ReaderCounts()
        self.ended = 0  # of the connections that `counts` tells of
        self.connection = Connection()
        self.rest = Rest()
        self.is_awaited = False  # whoever waits for the first frame is told by an exception
        self.zero_s: float | None = None  # time.monotonic() at stream time 0
        self._opening, self._sink = opening, sink
        self._lost = lost
        self._explain = explain or explain_at_capture
        self._stopped, self._hurried = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reader-{name}", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self, timeout_s: float = 0.5) -> None:
        """End it; a thread that waits for the camera ends when that wait is over."""
        self.end()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def end(self) -> None:
        """Ask the thread to end, and do not wait."""
        self._stopped.set()
        self._hurried.set()
        self.slot.close()

    def hurry(self) -> None:
        """Connect now where a lost camera is waited for; somebody new wants its pictures."""
        self._hurried.set()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopped.is_set():
            self._hurried.clear()
            reason, state = self._read_once(backoff)
            if self._stopped.is_set():
                return
            self._lose(state, reason)
            self._hurried.wait(backoff.next_s())

    def _read_once(self, backoff: Backoff) -> tuple[str, ReaderState]:
        """One connection from opening to its end; why it ended."""
        try:
            self._follow(backoff)
        except av.error.ExitError:
            return "the camera stopped sending; connecting again", ReaderState.STALLED
        except (av.error.FFmpegError, OSError) as error:  # before: some are ValueErrors, too
            return self._explain(error, backoff)
        except (RefusedAddress, ValueError) as error:
            backoff.host_is_silent()
            return redact(str(error)), ReaderState.FAILED
        except Exception as error:  # the thread's border: whatever a broken stream does, go on
            logger.exception("reader failed camera=%s", self.name)
            return f"reading failed: {redact(str(error))}", ReaderState.FAILED
        return "the connection was closed; connecting again", ReaderState.STALLED

    def _follow(self, backoff: Backoff) -> None:
        with self._opening() as container:
            stream = container.streams.video[0]
            _choose_threads(stream)
            self._sink.push_stream(stream)
            self.counts.connections += 1
            first_pts = None if self._real_time else 0  # a film begins with its first packet
            decoder = RestingDecoder(stream, self.rest, self._note_undecodable, first_pts)
            clock, lag = WallClock(of_film=not self._real_time), Lag()
            try:
                for packet in container.demux(stream):
                    if self._stopped.is_set():
                        return
                    self._take(packet, decoder, clock, lag)
                    backoff.reset()
            finally:
                self.rest.is_resting = False
                self.ended = self.counts.connections
                self._sink.push_end()

    def _take(self, packet: Packet, decoder: RestingDecoder, clock: WallClock, lag: Lag) -> None:
        if packet.size == 0:
            for one in [] if self._real_time else decoder.finish():
                self._offer(one, packet, clock, lag)
            return
        if packet.pts is not None:
            clock.read(packet, float(packet.pts * packet.time_base))
        self._sink.push_packet(packet)
        if not self._decodes:
            self._note_copied(packet, lag)
            return
        began_s = time.thread_time()
        shown = decoder.take(packet)
        self.counts.thread_s = time.thread_time()
        self.counts.decode_s += self.counts.thread_s - began_s
        self.counts.rested += self.rest.is_resting and not packet.is_keyframe
        for one in shown:
            self._offer(one, packet, clock, lag)

    def _note_copied(self, packet: Packet, lag: Lag) -> None:
        if packet.pts is not None:
            lag.of(float(packet.pts * packet.time_base), time.monotonic())
            self.zero_s = lag.zero_s
        if self.connection.state is not ReaderState.LIVE:
            self.connection = Connection(ReaderState.LIVE)

    def _note_undecodable(self) -> None:
        self.counts.undecodable += 1

    def _offer(self, shown: Shown, packet: Packet, clock: WallClock, lag: Lag) -> None:
        received_s, received_at = time.monotonic(), now_utc()
        pts_s = float(shown.pts * packet.time_base)
        self.counts.decoded += shown.is_new
        self._note(shown.picture, packet.stream)
        is_late = lag.is_late(pts_s, received_s) and self._real_time
        self.zero_s = lag.zero_s
        if is_late:
            self.counts.late += 1
            return
        captured_at = clock.captured_at(pts_s, received_at)
        number = self.counts.decoded + self.counts.rested
        clock_s = received_s if self._real_time else captured_at.timestamp()
        times = (number, pts_s, captured_at, received_at, clock_s)
        self.taker.put(Frame(shown.picture, *times, self.counts.connections))

    def _note(self, picture: av.VideoFrame, stream: av.VideoStream) -> None:
        known = self.connection
        if known.state is ReaderState.LIVE and (known.width, known.height) == (
            picture.width,
            picture.height,
        ):
            return
        self.connection = Connection(
            ReaderState.LIVE,
            None,
            picture.width,
            picture.height,
            told_rate(stream),
            stream.codec_context.name,
        )
        logger.info(
            "camera connected camera=%s size=%sx%s", self.name, picture.width, picture.height
        )

    def _lose(self, state: ReaderState, reason: str) -> None:
        before = self.connection
        is_news = (before.state, before.reason) != (state, reason)
        if is_news and not self.is_awaited:
            logger.warning("camera lost camera=%s state=%s reason=%s", self.name, state, reason)
        self.connection = Connection(state, reason, before.width, before.height)
        self._lost(reason)


def _choose_threads(stream: av.VideoStream) -> None:
    """Hold back no frame; one thread where one keeps up: it costs the same and can be counted."""
    stream.thread_type = "SLICE"
    rate = told_rate(stream) or 0.0
    if stream.codec_context.width * stream.codec_context.height * rate <= ONE_THREAD_PIXELS:
        stream.codec_context.thread_count = 1
