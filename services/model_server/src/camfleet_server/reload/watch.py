"""Wakes the reconciler when something on the model volume changes (inotify through watchdog)."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

logger = logging.getLogger(__name__)

_READS = {"opened", "closed_no_write"}  # what our own reading causes


class _Watch(NamedTuple):
    handle: ObservedWatch
    inode: int  # a folder made anew under the same name needs a new watch


class VolumeWatcher:
    """Watches folders with everything below them; where it cannot, polling has to do."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._handler = _Waker(wake)
        self._observer = Observer()
        self._observer.name = "volume-watcher"
        self._watches: dict[Path, _Watch] = {}
        self._refused: set[Path] = set()

    def start(self) -> None:
        """Start the observer's thread."""
        self._observer.start()

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these folders and no others; missing ones are watched once they are there."""
        wanted = _outermost(folder for folder in folders if folder.is_dir())
        for folder, watch in list(self._watches.items()):
            if folder not in wanted or _inode_of(folder) != watch.inode:
                del self._watches[folder]
                self._observer.unschedule(watch.handle)
        for folder in wanted - self._watches.keys() - self._refused:
            self._watch(folder)

    def stop(self) -> None:
        """End the observer's threads."""
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join(2)

    def _watch(self, folder: Path) -> None:
        try:
            inode = folder.stat().st_ino
            handle = self._observer.schedule(self._handler, str(folder), recursive=True)
            self._watches[folder] = _Watch(handle, inode)
        except OSError as error:
            self._refused.add(folder)
            logger.warning("polls instead of watching folder=%s reason=%s", folder, error)


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _READS:
            self._wake()


def _inode_of(folder: Path) -> int | None:
    try:
        return folder.stat().st_ino
    except OSError:  # it went between two looks
        return None


def _outermost(folders: Iterable[Path]) -> set[Path]:
    """Leave out folders that lie below another one: their watch covers them."""
    chosen: set[Path] = set()
    for folder in sorted({folder.resolve() for folder in folders}):
        if not any(parent in chosen for parent in folder.parents):
            chosen.add(folder)
    return chosen
