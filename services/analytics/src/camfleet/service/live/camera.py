"""One camera's live picture: fed by its reader thread, watched from the event loop."""

import threading
from asyncio import AbstractEventLoop

import av

from camfleet.service.live.pictures import PictureBoard
from camfleet.service.live.sequence import LiveSequence
from camfleet.service.live.stream import H264Stream
from camfleet.service.live.viewer import Message, Refusal, Viewer, offer_to_all
from camfleet.service.live_ports import Feed
from camfleet.service.playable import why_not_played
from camfleet.video.frames import Frame
from camfleet.video.rate import told_rate


class LiveCamera:
    """Copies the coded stream to its viewers; costs next to nothing while there are none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._stream: H264Stream | None = None
        self._epoch = 0
        self._sequence = LiveSequence()
        self._viewers: tuple[Viewer, ...] = ()
        self._refusal: Refusal | None = None
        self._feed: Feed | None = None
        self._is_closed = False
        self.note: str | None = None  # what viewers are told of the stream they see
        self.pictures = PictureBoard()

    def push_stream(self, stream: av.VideoStream) -> None:
        """A connection begins: its codec, parameter sets and rate."""
        coder = stream.codec_context
        rate = told_rate(stream) or 0.0
        reason = why_not_played(coder.codec.canonical_name, coder.pix_fmt)
        with self._lock:
            self._sequence.forget()
            self._refusal = Refusal(reason) if reason else None
            self._stream = (
                None if reason else H264Stream(bytes(coder.extradata or b""), rate, self._epoch + 1)
            )
            self._epoch += 1
            self._send([self._refusal] if self._refusal else [])

    def refuse(self, reason: str) -> None:
        """There is no stream to copy; viewers are told why until there is one."""
        with self._lock:
            self._refusal = Refusal(reason)
            self._send([self._refusal])

    def feed_with(self, feed: Feed | None, note: str | None = None) -> None:
        """Let this feed bring the stream while somebody watches; None: it comes unasked."""
        with self._lock:
            self.note = note
            before, self._feed, self._refusal = self._feed, feed, None
            if self._viewers and before is not None:
                before.end()
            self._forget_stream()
            if self._viewers and feed is not None:
                feed.begin()

    def push_packet(self, packet: "av.Packet[av.VideoStream]") -> None:
        """One coded frame."""
        with self._lock:
            if self._stream is None:
                return
            unit = self._stream.read(packet)
            self._epoch = self._stream.epoch
            fragment = self._sequence.add(unit) if unit else None
            if fragment is not None:
                self._send([fragment])

    def push_end(self) -> None:
        """The connection was lost; viewers stay and wait for the next one."""
        with self._lock:
            self._forget_stream()

    @property
    def wants_pictures(self) -> bool:
        """True while somebody looks at pictures with burnt-in boxes and the next one is due."""
        return self.pictures.is_due

    def push_picture(self, frame: Frame, result: dict[str, object] | None) -> None:
        """An inferred frame with its result, to be burnt in."""
        self.pictures.post(frame, result)

    @property
    def viewers(self) -> int:
        """How many watch the copied stream."""
        return len(self._viewers)

    def watch(self, loop: AbstractEventLoop) -> Viewer:
        """A new viewer; it begins at the last key frame. The caller ends it with unwatch."""
        viewer = Viewer(loop)
        with self._lock:
            if self._feed is not None and not self._viewers:
                self._refusal = None
                self._feed.begin()
            self._viewers += (viewer,)
            if self._is_closed:  # it went between the viewer's request and here
                viewer.end()
            first: Message | None = self._refusal or self._sequence.watch()
            offer_to_all((viewer,), [first] if first else [])
        return viewer

    def unwatch(self, viewer: Viewer) -> None:
        """The viewer left."""
        with self._lock:
            watched = bool(self._viewers)
            self._viewers = tuple(other for other in self._viewers if other is not viewer)
            if watched and not self._viewers:
                self._sequence.unwatch()
                if self._feed is not None:
                    self._feed.end()
                    self._forget_stream()

    def close(self) -> None:
        """The camera is gone: end all its viewers."""
        with self._lock:
            self._is_closed = True
            for viewer in self._viewers:
                viewer.end()
        self.pictures.close()

    def _forget_stream(self) -> None:
        self._stream = None
        self._sequence.forget()

    def _send(self, messages: list[Message]) -> None:
        offer_to_all(self._viewers, messages)
