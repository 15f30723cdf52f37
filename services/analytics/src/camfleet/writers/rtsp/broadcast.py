"""One stream's coded frames on their way to any number of readers."""

import queue
import threading
from dataclasses import dataclass

from camfleet.writers.rtsp.rtp import describe

_FRAMES_PER_READER = 60  # of a reader that is slower, the rest until a key frame is left out


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """The RTP packets of one frame."""

    packets: list[bytes]
    is_key: bool


class Reader:
    """One reader's frames; begins with a key frame, and begins anew when it was too slow."""

    def __init__(self) -> None:
        self._frames: queue.Queue[CodedFrame | None] = queue.Queue(_FRAMES_PER_READER)
        self.wants_key = True

    def offer(self, frame: CodedFrame) -> None:
        """Queue a frame if the reader keeps up."""
        if self.wants_key and not frame.is_key:
            return
        try:
            self._frames.put_nowait(frame)
            self.wants_key = False
        except queue.Full:
            self.wants_key = True

    def end(self) -> None:
        """Let take() return None."""
        try:
            self._frames.put_nowait(None)
        except queue.Full:
            self._frames.get_nowait()
            self._frames.put_nowait(None)

    def take(self) -> CodedFrame | None:
        """The next frame; None when the stream is over."""
        return self._frames.get()


class Broadcast:
    """What a server shows: the description, and frames from now on. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: list[Reader] = []
        self._described = threading.Event()
        self._description = ""
        self.is_over = False

    @property
    def wants_key(self) -> bool:
        """True while a reader waits for a key frame."""
        with self._lock:
            return any(reader.wants_key for reader in self._readers)

    def put(self, frame: CodedFrame, sets: list[bytes]) -> None:
        """Hand a frame to all readers; `sets` are the parameter sets in it, if any."""
        if sets:
            self._description = describe(sets)
            self._described.set()
        with self._lock:
            for reader in self._readers:
                reader.offer(frame)

    def description(self, timeout_s: float) -> str:
        """The SDP, waiting for the first frame; empty when none came."""
        self._described.wait(timeout_s)
        return self._description

    def join(self) -> Reader:
        """A new reader."""
        reader = Reader()
        with self._lock:
            self._readers.append(reader)
            if self.is_over:
                reader.end()
        return reader

    def leave(self, reader: Reader) -> None:
        """The reader is gone."""
        reader.end()
        with self._lock:
            if reader in self._readers:
                self._readers.remove(reader)

    def end(self) -> None:
        """No more frames."""
        with self._lock:
            self.is_over = True
            for reader in self._readers:
                reader.end()
