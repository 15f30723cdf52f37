"""Tells that something in folders changed (Linux inotify); who is told looks for what it was.

No paths are kept for the kernel's watches, so no order of events can confuse it (ADR 18). Where
folders cannot be watched (other systems, network volumes, limits) the user's own poll has to do.
"""

import ctypes
import errno
import logging
import os
import select
import struct
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

_ATTRIB, _CLOSE_WRITE, _MOVED, _CREATE, _DELETE, _SELF = 0x4, 0x8, 0xC0, 0x100, 0x200, 0xC00
# Not reading, or every look would bring the next one; not each write of a file, but its closing.
_CHANGES = _ATTRIB | _CLOSE_WRITE | _MOVED | _CREATE | _DELETE | _SELF
_ONLY_FOLDERS = 0x01000000
_OVERFLOW, _OF_FOLDER = 0x4000, 0x40000000
_EVENT = struct.Struct("iIII")  # watch, what happened, cookie, length of the name that follows
_BUFFER_BYTES = 65536
_END_LIMIT_S = 2.0

_Identity = tuple[int, int] | None


class FolderWatch:
    """Calls `wake` in its own thread after changes; `follow` is one other thread's."""

    def __init__(self, wake: Callable[[], None], *, name: str, is_recursive: bool = True) -> None:
        self._wake = wake
        self._is_recursive = is_recursive
        self._roots: dict[Path, _Identity] = {}  # as they were when they were watched
        self._outer: tuple[Path, ...] = ()  # the roots that are below no other
        self._is_told = self._is_stopping = False
        self._bell: int | None = None  # wakes the thread
        self._bell_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; without inotify there is none and a log line says so."""
        try:
            self._kernel = _Inotify()
        except OSError as error:
            logger.warning("polls instead of watching reason=%s", error)
            return
        self._bell = os.eventfd(0)
        self._thread.start()

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these folders and no others; a missing one is watched once it is there."""
        asked = dict.fromkeys(folders)
        roots = self._roots
        # Of those below another one its watch tells.
        if asked.keys() == roots.keys() and all(_identity(f) == roots[f] for f in self._outer):
            return
        self._roots = {folder: _identity(folder) for folder in asked}
        self._outer = tuple(f for f in asked if not self._is_below(f, asked.keys()))
        self._ring()

    def stop(self) -> None:
        """End the thread."""
        self._is_stopping = True
        self._ring()
        if self._thread.is_alive():
            self._thread.join(_END_LIMIT_S)
        with self._bell_lock:
            if self._bell is not None and not self._thread.is_alive():
                os.close(self._bell)
                self._bell = None

    def _ring(self) -> None:
        with self._bell_lock:
            if self._bell is not None:
                os.eventfd_write(self._bell, 1)

    def _run(self) -> None:
        assert self._bell is not None  # noqa: S101 - `start` made it
        while not self._is_stopping:
            self._take_change(self._bell)
        self._kernel.close()

    def _take_change(self, bell: int) -> None:
        """Wait for a change, of the folders or in them, and tell it."""
        if bell in self._kernel.wait(bell):
            os.eventfd_read(bell)
            self._kernel = self._kernel.renew()
            self._watch_all()
        elif self._kernel.read() & (_OF_FOLDER | _OVERFLOW):
            self._watch_all()  # before it is told: what comes later makes events of its own
        if not self._is_stopping:
            self._wake()

    def _watch_all(self) -> None:
        present = {root for root, identity in self._roots.items() if identity}
        for root in present:
            if self._is_below(root, present):
                continue
            for folder in _folders(root) if self._is_recursive else (root,):
                try:
                    self._kernel.watch(folder)
                except OSError as error:
                    self._tell(folder, error)

    def _is_below(self, folder: Path, roots: Collection[Path]) -> bool:
        """Tell whether one of them watches the folder with all below itself."""
        return self._is_recursive and any(parent in roots for parent in folder.parents)

    def _tell(self, folder: Path, error: OSError) -> None:
        """Log once what keeps folders from being watched; one that is not there is no reason."""
        if self._is_told or error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return
        self._is_told = True
        logger.warning("polls instead of watching folder=%s reason=%s", folder, error)


class _Inotify:
    """One descriptor of the kernel."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError(errno.ENOSYS, "inotify is not there")
        self._descriptor = self._checked(self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))

    def watch(self, folder: Path) -> None:
        """Watch a folder; again does no harm."""
        mask = _CHANGES | _ONLY_FOLDERS
        self._checked(self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), mask))

    def wait(self, signal: int) -> set[int]:
        """Wait for an event or the signal; return the descriptors that have something."""
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        poller.register(signal, select.POLLIN)
        return {descriptor for descriptor, _ in poller.poll()}

    def read(self) -> int:
        """Return all that happened in one set of bits."""
        try:
            events = os.read(self._descriptor, _BUFFER_BYTES)
        except BlockingIOError:
            return 0
        happened = at = 0
        while at < len(events):
            _, bits, _, name_bytes = _EVENT.unpack_from(events, at)
            happened |= bits
            at += _EVENT.size + name_bytes
        return happened

    def renew(self) -> "_Inotify":
        """Return one that watches nothing; where the system has none left, this one goes on."""
        try:
            fresh = _Inotify()
        except OSError:
            return self
        self.close()
        return fresh

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            raise OSError(number := ctypes.get_errno(), os.strerror(number))
        return result


def _folders(root: Path) -> Iterator[Path]:
    """Yield a folder and all below it, links not followed."""
    for folder, _, _ in os.walk(root):
        yield Path(folder)


def _identity(folder: Path) -> _Identity:
    with suppress(OSError, ValueError):  # not there, or a name no folder can have
        status = folder.stat()
        return status.st_dev, status.st_ino
    return None
