"""Packets in a file, one a line, put aside when it is large."""

import threading
from pathlib import Path

from camfleet.publishing.errors import CannotPublish

RESULTS_FILE = "var/analytics.txt"  # of an application; what it writes belongs below var/


class PacketFile:
    """Appends to a file; thread-safe. What is put aside is called as the file with `.1` behind."""

    def __init__(self, path: Path, size_bytes: int | None = None) -> None:
        """Nothing is opened yet; `size_bytes` None: it may grow without end."""
        self.path, self._size_bytes = path, size_bytes
        self._lock = threading.Lock()

    def __str__(self) -> str:
        """Where it writes to."""
        return str(self.path)

    def publish(self, line: str, *, is_result: bool) -> None:
        """Append a packet, of whichever kind.

        Raises:
            CannotPublish: the file or its folder refuses.
        """
        del is_result
        content = line.encode() + b"\n"
        try:
            with self._lock:
                self._make_room(len(content))
                with self.path.open("ab") as file:
                    file.write(content)
        except OSError as error:
            raise CannotPublish(
                f"{self.path}: {error.strerror or error}; check the folder's rights and free space"
            ) from error

    def _make_room(self, wanted: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._size_bytes is None or not self.path.is_file():
            return
        size = self.path.stat().st_size
        if size and size + wanted > self._size_bytes:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
