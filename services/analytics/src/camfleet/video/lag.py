"""How far behind its own stream a frame arrives, without trusting either clock's zero."""

DRIFT_PER_S = 0.001  # clocks drift, so the best arrival ever seen slowly counts less


class Lag:
    """Compares arrival and stream time with the fastest arrival so far. Not thread-safe."""

    def __init__(self) -> None:
        self._fastest: float | None = None
        self._asked_s = 0.0

    def of(self, pts_s: float, received_s: float) -> float:
        """Seconds this frame is late compared with the fastest one."""
        delay = received_s - pts_s
        if self._fastest is None:
            self._fastest = delay
        else:
            drift = max(0.0, received_s - self._asked_s) * DRIFT_PER_S
            self._fastest = min(self._fastest + drift, delay)
        self._asked_s = received_s
        return delay - self._fastest
