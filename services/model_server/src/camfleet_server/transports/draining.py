"""The end of the transports: nothing new is taken, what is in flight is finished."""

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Drain:
    """Stops servers side by side: none takes calls while another still finishes its own."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._stops: list[Callable[[float], None]] = []

    def add(self, stop: Callable[[float], None]) -> None:
        """Add a server; `stop` gets the seconds it may take to finish what is in flight."""
        self._stops.append(stop)

    def run(self) -> None:
        """Stop all and return when the last one has ended."""
        began_at = time.monotonic()
        threads = [
            threading.Thread(target=stop, args=(self._timeout_s,), name="drain", daemon=True)
            for stop in self._stops
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        logger.info("drained seconds=%.1f", time.monotonic() - began_at)
