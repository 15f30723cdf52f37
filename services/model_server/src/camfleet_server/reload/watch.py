"""Wakes the reconciler when something on the model volume changes (inotify through watchdog)."""

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

logger = logging.getLogger(__name__)

# All but what reading causes: the looks at the volume would come back as a stream of events.
_CHANGES: list[type[FileSystemEvent]] = [
    *(DirCreatedEvent, DirDeletedEvent, DirModifiedEvent, DirMovedEvent),
    *(FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent),
]


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
        self._followed: frozenset[Path] = frozenset()  # as asked for, when all of them were there

    def start(self) -> None:
        """Start the observer's thread."""
        self._observer.start()

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these folders and no others; missing ones are watched once they are there."""
        asked = frozenset(folders)
        if asked == self._followed and self._are_watches_valid():
            return
        # Path.is_dir raises for a path that is too long or closed to us.
        present = {folder for folder in asked if os.path.isdir(folder)}  # noqa: PTH112
        self._followed = asked if present == asked else frozenset()
        wanted = _outermost(present)
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

    def _are_watches_valid(self) -> bool:
        return all(_inode_of(folder) == watch.inode for folder, watch in self._watches.items())

    def _watch(self, folder: Path) -> None:
        try:
            inode = folder.stat().st_ino
            handle = self._observer.schedule(
                self._handler, str(folder), recursive=True, event_filter=_CHANGES
            )
            self._watches[folder] = _Watch(handle, inode)
        except OSError as error:
            self._refused.add(folder)
            logger.warning("polls instead of watching folder=%s reason=%s", folder, error)


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - says no more than its coming
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
