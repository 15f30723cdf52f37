"""Records one stream: takes its pictures as they come, writes them in a thread."""

import errno
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from camfleet_capture.access_unit import AccessUnit, wall_time
from camfleet_capture.recording.ring import Ring, Segment
from camfleet_capture.recording.segment import SegmentWriter
from camfleet_capture.stream import Stream
from camfleet_contracts.capturing import Recording
from camfleet_contracts.clock import rfc3339_from_unix
from camfleet_contracts.logs import get_logger

logger = get_logger(__name__)

_WAITING_UNITS = 600
_GROUP_LIMIT_UNITS = 600
_PAUSE_AFTER_FAULT_S = 5.0


class _Mark:
    """Something else than a picture in the queue."""


_GAP, _END = _Mark(), _Mark()


@dataclass(slots=True)
class Tally:
    """What became of the pictures."""

    recorded: int = 0
    lost: int = 0  # the disk was too slow, full or gone


class Recorder:
    """A listener of one stream; `start` and `leave` belong to the event loop."""

    def __init__(self, stream: Stream, folder: Path, settings: Recording) -> None:
        self.stream, self.settings, self.tally = stream, settings, Tally()
        self.fault: str | None = None
        self._ring = Ring(folder, settings.size_bytes)
        self._queue: queue.Queue[AccessUnit | _Mark] = queue.Queue(_WAITING_UNITS)
        self._waits_for_key = True
        self._group: list[AccessUnit] = []
        self._writer: SegmentWriter | None = None
        self._finishing = threading.Lock()  # the open file becomes a finished one at once
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"record-{stream.name}", daemon=True)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._ring.folder

    def start(self) -> None:
        """Begin with the next key picture."""
        self._thread.start()
        self.stream.listen(self)

    def takes_at_once(self, _unit: AccessUnit) -> bool:
        """Always: it only puts units into a queue."""
        return True

    def deliver(self, unit: AccessUnit) -> None:
        """Take the next picture; one that finds the queue full is lost with those that need it."""
        if self._waits_for_key and not unit.is_key:
            self.tally.lost += self.tally.recorded > 0
            return
        try:
            self._queue.put_nowait(unit)
        except queue.Full:
            self.tally.lost += 1
            self._waits_for_key = True
        else:
            self._waits_for_key = False

    def forget(self) -> None:
        """Know that the source is lost: what comes next begins a new file."""
        self._waits_for_key = True
        self._mark(_GAP)

    def end(self) -> None:
        """Know that no picture follows."""
        self._mark(_END)

    @property
    def is_behind(self) -> bool:
        """Whether the disk is slow; films that could wait for it are not recorded."""
        return self._queue.qsize() > _WAITING_UNITS // 2

    def leave(self) -> None:
        """Take no more pictures; what is there is written yet."""
        self.stream.unlisten(self)
        self._mark(_END)

    def wait(self, timeout_s: float) -> None:
        """Wait until all is written, called by any thread; a disk that hangs costs the rest."""
        self._thread.join(timeout_s)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All that can be read now, oldest first; the open file as far as it is written."""
        with self._finishing:
            writer, finished = self._writer, self._ring.segments
            if writer is None or writer.readable_to == writer.started_at:
                return finished
            try:
                size_bytes = writer.size_bytes
            except FileNotFoundError:  # somebody else deleted it
                return finished
        return (*finished, Segment(writer.path, writer.started_at, writer.readable_to, size_bytes))

    def reaches(self, moment: float) -> bool:
        """Whether something from this Unix time or later can be read."""
        segments = self.segments
        return bool(segments) and segments[-1].ends_at >= moment

    def describe(self) -> dict[str, Any]:
        """Return the state as HTTP shows it."""
        segments = self.segments
        started, ended = [one.started_at for one in segments], [one.ends_at for one in segments]
        return {
            "state": "FAILED" if self.fault else "RECORDING",
            "reason": self.fault,
            "from": rfc3339_from_unix(min(started)) if started else None,
            "to": rfc3339_from_unix(max(ended)) if ended else None,
            "bytes": sum(segment.size_bytes for segment in segments),
            "lost_frames": self.tally.lost,
        }

    def _mark(self, mark: _Mark) -> None:
        while True:
            try:
                self._queue.put_nowait(mark)
            except queue.Full:  # the disk hangs: pictures make room for the word
                try:
                    self._queue.get_nowait()
                except queue.Empty:
                    continue
                self.tally.lost += 1
            else:
                return

    def _run(self) -> None:
        self._guarded(self._ring.open)
        while (one := self._queue.get()) is not _END:
            if isinstance(one, AccessUnit):
                self._collect(one)
            else:
                self._flush()
                self._close_file()
        self._flush()
        self._close_file()

    def _collect(self, unit: AccessUnit) -> None:
        if unit.is_key or len(self._group) >= _GROUP_LIMIT_UNITS:
            self._flush()
        self._group.append(unit)

    def _flush(self) -> None:
        group, self._group = self._group, []
        if not group:
            return
        if time.monotonic() < self._retry_at or not self._guarded(lambda: self._write(group)):
            self.tally.lost += len(group)
        else:
            self.tally.recorded += len(group)

    def _write(self, group: list[AccessUnit]) -> None:
        writer = self._writer
        is_due = writer and writer.ends_at - writer.started_at >= self.settings.segment_s
        if writer and group[0].is_key and (is_due or not writer.takes(group[0])):
            self._close_file()
        if self._writer is None:
            if not group[0].is_key:
                return
            self._ring.folder.mkdir(parents=True, exist_ok=True)
            started = SegmentWriter(self._ring.path_for(wall_time(group[0].shown_at)), group[0])
            self._writer = started
        self._writer.write(group)
        self._ring.make_room(self._writer.size_bytes)
        self._say(None)

    def _close_file(self) -> None:
        writer = self._writer
        if writer is None:
            return

        def finish() -> None:
            writer.close()
            with self._finishing:
                self._ring.add(writer.path, writer.started_at, writer.ends_at)
                self._writer = None

        self._guarded(finish)

    def _guarded(self, action: Callable[[], None]) -> bool:
        """Do what needs the disk; a fault costs pictures and is said, never more."""
        try:
            action()
        except (OSError, av.error.FFmpegError) as error:
            is_full = getattr(error, "errno", None) == errno.ENOSPC
            self._give_file_up()
            if is_full and self._ring.drop_oldest():
                return False  # the next group finds room
            self._retry_at = time.monotonic() + _PAUSE_AFTER_FAULT_S
            self._say(f"{self._ring.folder}: {error.strerror or error}; pictures are lost")
            return False
        return True

    def _give_file_up(self) -> None:
        """Close a file that takes no more; what is in it stays."""
        writer, self._writer = self._writer, None
        with suppress(OSError, av.error.FFmpegError):
            if writer:
                writer.close()
            self._ring.open()

    def _say(self, fault: str | None) -> None:
        if fault != self.fault:
            log = logger.warning if fault else logger.info
            log("recording", camera=self.stream.name, fault=fault)
        self.fault = fault
