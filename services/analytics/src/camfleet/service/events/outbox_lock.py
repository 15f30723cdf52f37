"""One process per outbox: a lock that is held for as long as the outbox is open."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO


class OutboxInUse(Exception):
    """Another process holds the outbox; the text says which, and what to do."""


class OutboxLock:
    """Held from the start; the kernel releases it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        """Raises OutboxInUse, and OSError where the folder cannot be written."""
        self._file: IO[str] = path.with_name(f".{path.name}.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = self._holder()
            self._file.close()
            raise OutboxInUse(
                f"{path} belongs to another analytics service{holder} that runs now; end it, or"
                " give this one a folder of its own with --state, or --outbox memory"
            ) from error
        with contextlib.suppress(OSError):  # a full disk: whose it is, is said where there is room
            self._file.truncate(0)
            os.write(self._file.fileno(), str(os.getpid()).encode())

    def release(self) -> None:
        """The next one may have it."""
        self._file.close()

    def _holder(self) -> str:
        self._file.seek(0)
        pid = self._file.read().strip()
        return f" (pid {pid})" if pid else ""
