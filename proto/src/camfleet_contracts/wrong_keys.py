"""Who presents wrong keys, for the log: whoever guards the box wants to know, and fail2ban."""

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

_TOLD_EVERY_S = 10.0
_REMEMBERED = 1024


class WrongKeys:
    """A line in the log for each address, at most one in 10 s; any thread may note one.

    Args:
        clock: seconds, as time.monotonic() tells them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[str, tuple[float, int]] = {}  # address: when it was told, how many since

    def note(self, peer: str) -> None:
        """One more from this address."""
        now = self._clock()
        with self._lock:
            told_at, count = self._since.get(peer, (float("-inf"), 0))
            is_due = now - told_at >= _TOLD_EVERY_S
            if peer not in self._since and len(self._since) >= _REMEMBERED:
                self._since.clear()
            self._since[peer] = (now, 0) if is_due else (told_at, count + 1)
        if is_due:
            logger.warning("wrong key peer=%s times=%s", peer or "unknown", count + 1)
