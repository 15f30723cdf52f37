"""Applications for MultiStreamFramework; spawned processes import this module."""

from pathlib import Path
from typing import Any

from camfleet.multi_stream import MultiStreamAppInterface


class Waiting(MultiStreamAppInterface):
    """Notes that it runs, and that it was asked to stop."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def run(self) -> None:
        self._path.write_text("runs")
        self.stop_event.wait(60)
        self._path.write_text("stopped")


class Failing(MultiStreamAppInterface):
    """Fails at once."""

    def run(self) -> None:
        raise RuntimeError("no camera")


class Unmade(MultiStreamAppInterface):
    """Cannot even be made."""

    def __init__(self) -> None:
        raise RuntimeError("no model")

    def run(self) -> None:
        """Never happens."""


class Saying(MultiStreamAppInterface):
    """Says something to whoever listens, and ends by itself."""

    def __init__(self, word: str, listener: Any) -> None:
        self._word, self._listener = word, listener

    def run(self) -> None:
        self._listener.put(self._word)
