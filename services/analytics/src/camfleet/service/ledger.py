"""What one camera costs: time by stage, and processor time of its two threads."""

import time
from collections import deque
from dataclasses import dataclass, field

from camfleet.inference.detector import Detected
from camfleet.video.connection import ReaderCounts

REMEMBERED_REQUESTS = 100


@dataclass(slots=True)
class Ledger:
    """Totals in seconds; written by the pipeline's thread only, single fields may be read."""

    asked: int = 0  # frames the model was asked about
    scale_s: float = 0.0  # processor time of making the model's input
    request_s: float = 0.0  # waiting for the model server
    queue_s: float = 0.0  # of it, what requests took beyond the quickest of late
    track_s: float = 0.0  # processor time of tracking, lines and zones
    thread_s: float = 0.0  # processor time of the pipeline's thread, all it does
    _requests: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED_REQUESTS))

    def note(self, detected: Detected, track_s: float) -> None:
        """One frame went the whole way; call it in the pipeline's thread."""
        self.track_s += track_s
        self.thread_s = time.thread_time()
        if detected.is_shared or not detected.duration_s:  # another's request; none: repeated
            return
        self.asked += 1
        self.scale_s += detected.scale_s
        self.request_s += detected.duration_s
        self._requests.append(detected.duration_s)
        self.queue_s += detected.duration_s - min(self._requests)

    def stages(self, counts: ReaderCounts) -> dict[str, float]:
        """Seconds by stage since the start."""
        return {
            "decode": counts.decode_s,
            "scale": self.scale_s,
            "request": self.request_s,
            "queue": self.queue_s,
            "track": self.track_s,
        }

    def threads(self, counts: ReaderCounts) -> dict[str, float]:
        """Processor seconds of the camera's threads since the start."""
        return {"reader": counts.thread_s, "pipeline": self.thread_s}

    def facts(self, counts: ReaderCounts, analysed: int) -> dict[str, float]:
        """Milliseconds a frame as /v1/status shows them, each for the frames that go there."""
        per = {
            "decode": counts.decoded,
            "scale": self.asked,
            "request": self.asked,
            "queue": self.asked,
            "track": analysed,
        }
        spent = self.stages(counts)
        return {f"{name}_ms": round(1000 * spent[name] / max(1, per[name]), 3) for name in per}
