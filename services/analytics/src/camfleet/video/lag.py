"""How far behind its own stream a frame arrives, without trusting either clock's zero."""

DRIFT_PER_S = 0.001  # clocks drift, so the best arrival ever seen slowly counts less
LATE_S = 1.0  # older frames are a backlog and are not worth a look
PATIENCE_S = 3.0  # a backlog drains in this time; what is late for longer is a clock set anew


class Lag:
    """Compares arrival and stream time with the fastest arrival so far. Not thread-safe."""

    def __init__(self) -> None:
        self._fastest: float | None = None
        self._asked_s = 0.0
        self._late_since_s: float | None = None

    @property
    def zero_s(self) -> float | None:
        """When (time.monotonic) a frame of stream time 0 would have come, as the fastest did."""
        return self._fastest

    def is_late(self, pts_s: float, received_s: float) -> bool:
        """Tell whether a frame belongs to a backlog that is to be skipped."""
        if self.of(pts_s, received_s) <= LATE_S:
            self._late_since_s = None
            return False
        if self._late_since_s is None:
            self._late_since_s = received_s
        if received_s - self._late_since_s < PATIENCE_S:
            return True
        self._fastest, self._late_since_s = received_s - pts_s, None
        return False

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
