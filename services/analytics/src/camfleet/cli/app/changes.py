"""Tells when source files of a folder have changed: by inotify, and by looking where none comes."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from camfleet.cli.app.folders import VAR
from camfleet_contracts.folder_watch import FolderWatch

POLL_S = 0.4
_SETTLE_S = 0.1
_WATCHED = {".py", ".json", ".yaml", ".yml", ".toml"}
_LEFT_OUT = {VAR, "__pycache__", "node_modules", "venv"}
_Stamps = dict[str, tuple[int, int]]


class SourceWatch:
    """Looks at .py, .json, .yaml and .toml files, not below var/ and hidden folders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._bell = threading.Event()
        self._watch = FolderWatch(self._bell.set, name="sources", is_recursive=False)
        self._known = self._look()
        self._watch.start()

    def wait_for_change(self) -> str | None:
        """Wait a moment; the name of a file that changed, None when none did."""
        self._bell.wait(POLL_S)
        self._bell.clear()
        found = self._look()
        if found == self._known:
            return None
        while self._bell.wait(_SETTLE_S):  # an editor writes more than once
            self._bell.clear()
        changed = dict(set(found.items()) ^ set(self._known.items()))
        self._known = self._look()
        return os.path.relpath(min(changed), self._root)

    def close(self) -> None:
        """Stop looking."""
        self._watch.stop()

    def _look(self) -> _Stamps:
        folders = [self._root]
        stamps: _Stamps = {}
        for folder in folders:
            for entry in _entries(folder):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif Path(entry.name).suffix in _WATCHED:
                    status = entry.stat()
                    stamps[entry.path] = (status.st_mtime_ns, status.st_size)
        self._watch.follow(folders)
        return stamps


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name not in _LEFT_OUT:
                    yield entry
    except OSError:  # it went while we looked: the next look sees what is there
        return
