"""What one loaded version has done so far, in the terms of Triton's statistics extension."""

import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple

_BATCH_SIZES = 64  # told one by one; clients choose them, so there may be any number


@dataclass(frozen=True, slots=True)
class Duration:
    """How often something happened, and how long all of it took together."""

    count: int = 0
    ns: int = 0


@dataclass(frozen=True, slots=True)
class ComputeStatistics:
    """The three stages of an execution."""

    compute_input: Duration = Duration()
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()


@dataclass(frozen=True, slots=True)
class Statistics:
    """A reading; `last_inference_ms` is since 1970, 0 before the first request."""

    last_inference_ms: int = 0
    inference_count: int = 0  # rows, as a request may bring more than one
    execution_count: int = 0
    success: Duration = Duration()
    fail: Duration = Duration()
    queue: Duration = Duration()
    compute: ComputeStatistics = ComputeStatistics()
    batches: dict[int, ComputeStatistics] = field(default_factory=dict)  # by rows


class StatisticsOfVersion(NamedTuple):
    """A reading, and of what."""

    model: str
    version: int
    statistics: Statistics


class _Stages:
    """Seconds in each stage, and how often."""

    __slots__ = ("count", "infer_s", "input_s", "output_s")

    def __init__(self) -> None:
        self.count = 0
        self.input_s = self.infer_s = self.output_s = 0.0

    def add(self, input_s: float, infer_s: float, output_s: float) -> None:
        self.count += 1
        self.input_s += input_s
        self.infer_s += infer_s
        self.output_s += output_s

    def read(self) -> ComputeStatistics:
        stages = (self.input_s, self.infer_s, self.output_s)
        return ComputeStatistics(*(_duration(self.count, stage_s) for stage_s in stages))


class VersionStatistics:
    """Counters of one version; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_at = 0.0
        self._rows = self._executions = self._failures = 0
        self._total_s = self._queue_s = self._failed_s = 0.0
        self._requests = _Stages()
        self._batches: dict[int, _Stages] = {}

    def succeed(
        self,
        *,
        input_s: float,
        queue_s: float,
        infer_s: float,
        output_s: float,
        rows: int = 1,
        executed_rows: int = 1,
    ) -> None:
        """Count one answered request.

        Args:
            input_s: until the inputs were ready.
            queue_s: waiting for a turn.
            infer_s: in the runtime.
            output_s: until the outputs were ready.
            rows: how many inferences the request asked for.
            executed_rows: size of the batch it ran in; 0 when another request of that batch
                stands for the execution.
        """
        with self._lock:
            self._last_at = time.time()
            self._rows += rows
            self._queue_s += queue_s
            self._total_s += input_s + queue_s + infer_s + output_s
            self._requests.add(input_s, infer_s, output_s)
            if executed_rows:
                self._executions += 1
                self._batch(executed_rows).add(input_s, infer_s, output_s)

    def fail(self, took_s: float) -> None:
        """Count one request that ended with an error."""
        with self._lock:
            self._last_at = time.time()
            self._failures += 1
            self._failed_s += took_s

    def _batch(self, rows: int) -> _Stages:
        """Find the counters of a batch size; one too many is counted as the next power of two."""
        if rows not in self._batches:
            if len(self._batches) >= _BATCH_SIZES:
                rows = 1 << (rows - 1).bit_length()
            self._batches.setdefault(rows, _Stages())
        return self._batches[rows]

    def read(self) -> Statistics:
        """Return what was counted so far."""
        with self._lock:
            count = self._requests.count
            return Statistics(
                last_inference_ms=int(self._last_at * 1000),
                inference_count=self._rows,
                execution_count=self._executions,
                success=_duration(count, self._total_s),
                fail=_duration(self._failures, self._failed_s),
                queue=_duration(count, self._queue_s),
                compute=self._requests.read(),
                batches={rows: stages.read() for rows, stages in sorted(self._batches.items())},
            )


def _duration(count: int, seconds: float) -> Duration:
    return Duration(count, round(seconds * 1e9))
