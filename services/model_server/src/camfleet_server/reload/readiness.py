"""Whether the server may be called ready: every configured model had its first try."""

import time
from collections.abc import Callable

_STANDSTILL_LIMIT_S = 15.0  # a model that hangs in its probe holds up readiness no longer


class Readiness:
    """Belongs to the reconciler's thread; once reached it stays."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moved_at: float | None = None
        self.is_reached = False

    def note_progress(self) -> None:
        """A model had its try."""
        self._moved_at = self._clock()

    def look(self, *, is_busy: bool) -> None:
        """Look after a pass that knew config.json; `is_busy` when a model waits for its try."""
        if self._moved_at is None:
            self.note_progress()
        assert self._moved_at is not None  # noqa: S101 - just noted
        stands_still = self._clock() - self._moved_at > _STANDSTILL_LIMIT_S
        self.is_reached = self.is_reached or stands_still or not is_busy
