"""Running figures of one pipeline."""

from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 5.0
WEIGHT = 0.1  # of the newest value in a running mean


@dataclass(slots=True)
class Statistics:
    """Written by the pipeline's thread; others read single fields, which is safe."""

    analysed: int = 0
    failed: int = 0  # the model server did not answer them
    still: int = 0  # answered by the answer before: nothing moved
    shared: int = 0  # answered by what another camera's pipeline asked about the same picture
    published: int = 0
    latency_ms: float | None = None
    request_ms: float | None = None
    track_ms: float | None = None
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=600))

    def note_frame(self, now_s: float, latency_s: float, request_s: float, track_s: float) -> None:
        """One frame went the whole way."""
        self.analysed += 1
        self._times.append(now_s)
        self.latency_ms = _mean(self.latency_ms, latency_s * 1000)
        self.request_ms = _mean(self.request_ms, request_s * 1000)
        self.track_ms = _mean(self.track_ms, track_s * 1000)

    def fps(self, now_s: float) -> float:
        """Analysed frames per second over the last seconds; it falls while none comes."""
        times = [moment for moment in tuple(self._times) if now_s - moment <= WINDOW_S]
        if len(times) <= 1:
            return 0.0
        steps, span_s = len(times) - 1, times[-1] - times[0]
        overdue_s = max(0.0, now_s - times[-1] - span_s / steps)
        return steps / max(span_s + overdue_s, 1e-6)


def _mean(before: float | None, value: float) -> float:
    return value if before is None else before + WEIGHT * (value - before)
