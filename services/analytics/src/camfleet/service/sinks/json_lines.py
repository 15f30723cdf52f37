"""The sink that writes one event a line into a file, rotated by size."""

import asyncio
import contextlib
import errno
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from camfleet.service.events.stored import Stored
from camfleet.service.sinks.ports import SinkContext, SinkDown
from camfleet_contracts.sinks import FileSink

FSYNC_INTERVAL_S = 1.0
LARGEST_LINE = 1_000_000


@asynccontextmanager
async def open_json_lines(
    name: str, settings: FileSink, context: SinkContext
) -> AsyncIterator["JsonLines"]:
    """Open the file for appending; an unfinished last line goes, its event comes again."""
    del name
    path = context.events_folder / settings.path  # an absolute path stays what it is
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = JsonLines(path, settings)
    except OSError as error:
        raise SinkDown(f"{path}: {error.strerror or error}") from error
    try:
        yield lines
    finally:
        lines.close()


class JsonLines:
    """An open file of events. Writes block: the sink's thread has nothing else to do."""

    at_once = 100

    def __init__(self, path: Path, settings: FileSink) -> None:
        self._path, self._settings = path, settings
        self._file = _open(path)
        self._mend()
        self._last = _newest_of(self._path) or _newest_of(self._numbered(1)) or ("", 0)
        self._is_safe, self._synced_s = True, time.monotonic()

    async def deliver(self, events: Sequence[Stored]) -> int:
        """Append what is not in the file yet, then rotate if it has become too large."""
        epoch, seq = self._last
        new = [event for event in events if event.epoch != epoch or event.seq > seq]
        try:
            if self._is_moved():
                self._reopen()
            for event in new:
                self._append(event.text.encode() + b"\n")
                self._last = event.epoch, event.seq
            self._sync(is_written=bool(new))
        except OSError as error:
            raise SinkDown(self._text_of(error)) from error
        return 0

    async def wait_lost(self) -> str:
        """Make safe what was written before a quiet time; lost when the disk refuses that."""
        while True:
            await asyncio.sleep(FSYNC_INTERVAL_S)
            try:
                self._sync(is_written=False)
            except OSError as error:
                return self._text_of(error)

    def close(self) -> None:
        """Let go of the file."""
        try:
            with contextlib.suppress(OSError):  # it is written; whoever closes cannot do more
                self._make_safe()
        finally:
            os.close(self._file)

    def _text_of(self, error: OSError) -> str:
        return f"{self._path}: {error.strerror or error}"

    def _is_moved(self) -> bool:
        """True when somebody moved or deleted the file, as logrotate does."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        return not os.path.samestat(there, os.fstat(self._file))

    def _reopen(self) -> None:
        self._make_safe()
        fresh = _open(self._path)
        os.close(self._file)
        self._file = fresh
        self._mend()

    def _append(self, line: bytes) -> None:
        size = os.fstat(self._file).st_size
        if size and size + len(line) > self._settings.size_bytes:
            self._rotate()
            size = 0
        self._is_safe = False
        if os.write(self._file, line) < len(line):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _rotate(self) -> None:
        self._make_safe()
        for number in range(self._settings.count, 0, -1):
            older = self._path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if not self._settings.count:
            self._path.unlink(missing_ok=True)
        fresh = _open(self._path)
        os.close(self._file)
        self._file = fresh

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _sync(self, *, is_written: bool) -> None:
        is_due = time.monotonic() - self._synced_s >= FSYNC_INTERVAL_S
        is_wanted = {"always": is_written, "second": is_due, "never": False}
        if is_wanted[self._settings.fsync]:
            self._make_safe()

    def _make_safe(self) -> None:
        if self._is_safe or self._settings.fsync == "never":
            return
        os.fsync(self._file)
        self._is_safe, self._synced_s = True, time.monotonic()

    def _mend(self) -> None:
        """Cut off what a kill left of a line."""
        size, tail = _tail_of(self._file)
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            os.ftruncate(self._file, size - len(tail) + whole)


def _newest_of(path: Path) -> tuple[str, int] | None:
    """Epoch and seq of the last line; None where there is no line, or none of ours."""
    try:
        with path.open("rb") as file:
            _, tail = _tail_of(file.fileno())
        event = json.loads(tail.rstrip(b"\n").rpartition(b"\n")[2])
        return str(event["epoch"]), int(event["seq"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _tail_of(file: int) -> tuple[int, bytes]:
    """The size of a file, and its end: one line at least."""
    size = os.fstat(file).st_size
    length = min(size, LARGEST_LINE)
    return size, os.pread(file, length, size - length)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
