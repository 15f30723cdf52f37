"""What the model server refuses and why, asked regularly for the page."""

import logging
import threading
from collections.abc import Callable

from camfleet.inference.errors import InferenceError

logger = logging.getLogger(__name__)

INTERVAL_S = 2.0
STOP_LIMIT_S = 4.0


class ServerWatch:
    """A thread that keeps `faults` fresh; a server that is away has none to tell."""

    def __init__(self, ask: Callable[[], tuple[str, ...]]) -> None:
        """`ask` returns one line a fault and may raise InferenceError."""
        self.faults: tuple[str, ...] = ()
        self._ask = ask
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="server-watch", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT_S)

    def look(self) -> None:
        """Ask now."""
        try:
            self.faults = self._ask()
        except InferenceError:  # away, or a server of others without a repository index
            self.faults = ()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception:  # the thread's border: a surprise must not end the watching
                logger.exception("model server could not be asked for its faults")
            self._stopped.wait(INTERVAL_S)
