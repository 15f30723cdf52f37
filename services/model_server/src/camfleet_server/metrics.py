"""Metrics: OpenVINO Model Server's names, labels and buckets, and a few of our own.

Series of a model appear when a version of it is loaded (`watch_version`) or first answers, never
because somebody asked for a name that is not served.
"""

import math
from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
)

from camfleet_server.answer import Answer, Call
from camfleet_server.errors import (
    Abandoned,
    DeadlineExceeded,
    ModelNotFound,
    ModelVersionNotFound,
    QueueFull,
    Superseded,
)
from camfleet_server.exposition import as_text
from camfleet_server.histograms import Observations, QuickHistogram

BUCKETS_US = tuple(math.floor(10 * 1.8**exponent) for exponent in range(33))
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_CALL = ("name", "version", "api", "interface", "method")
_VERSION = ("name", "version")
_US = 1_000_000
_LOAD_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ROW_BOUNDS = (1, 2, 4, 8, 16, 32, 64)
_REMEMBERED_VERSIONS = 4  # retired ones of a model whose counts a scrape still finds
_REFUSALS = {
    QueueFull: "queue_full",
    Superseded: "superseded",
    DeadlineExceeded: "deadline",
    Abandoned: "abandoned",
}


class _CallSeries(NamedTuple):
    """What one answered call changes, kept so that it is looked up once."""

    success: Counter
    request_us: Observations


class _VersionSeries(NamedTuple):
    wait_us: Observations
    inference_us: Observations


class ServerMetrics:
    """All metrics of one server; every method may be called from any thread."""

    def __init__(self, shown: Collection[str] = (), *, is_on: bool = True) -> None:
        """Show these of OVMS's metrics (none named: all) beside our own; off shows nothing."""
        self.is_on = is_on
        self._shown = frozenset(shown)
        self._registry = CollectorRegistry()
        self._known: frozenset[str] = frozenset()
        self._answered: dict[tuple[Call, str, int], _CallSeries] = {}
        self._inferred: dict[tuple[str, int], _VersionSeries] = {}
        self._retired: dict[str, deque[int]] = {}
        self._success = self._counter("ovms_requests_success", "Requests answered", _CALL)
        self._fail = self._counter("ovms_requests_fail", "Requests answered with an error", _CALL)
        self._request_us = self._quick(
            "ovms_request_time_us", "From the request to its answer", ("interface", *_VERSION)
        )
        self._inference_us = self._quick("ovms_inference_time_us", "Time in the runtime", _VERSION)
        self._wait_us = self._quick(
            "ovms_wait_for_infer_req_time_us", "Time waiting for a turn", _VERSION
        )
        self._streams = self._gauge("ovms_streams", "Requests that can run at once")
        self._queue_size = self._gauge("ovms_infer_req_queue_size", "Infer requests of a version")
        self._active = self._gauge("ovms_infer_req_active", "Infer requests in use")
        self._current = self._gauge("ovms_current_requests", "Requests running or waiting")
        self._add_own()

    def _add_own(self) -> None:
        self._decode_us = self._histogram(
            "camfleet_image_decode_us", "From a JPEG or PNG to pixels of the model's size", ()
        )
        self._refused = self._counter(
            "camfleet_requests_refused", "Requests refused by admission", ("name", "reason")
        )
        self._reloads = self._counter("camfleet_reloads", "Reloads by outcome", ("outcome",))
        self._unknown = self._counter(
            "camfleet_unknown_model_requests", "Requests for what is not served", ("interface",)
        )
        self._loads = self._counter("camfleet_loads", "Versions by outcome", ("name", "outcome"))
        self._broken = self._counter(
            "camfleet_models_broken", "Versions that a request left of no use", ("name",)
        )
        self._load_s = self._histogram(
            "camfleet_load_seconds", "Loading and warming up", ("name",), _LOAD_BOUNDS_S
        )
        self._probe_s = self._histogram(
            "camfleet_probe_seconds", "Trying out in another process", ("name",), _LOAD_BOUNDS_S
        )
        self._batch_rows = self._histogram(
            "camfleet_batch_rows", "Rows inferred at once", _VERSION, _ROW_BOUNDS
        )
        self._faults = self._gauge("camfleet_faults", "Things /readyz names as wrong", ())
        self._open_streams = self._gauge("camfleet_open_streams", "Open ModelStreamInfer", ())
        ProcessCollector(registry=self._registry)  # what cameras cost here, for `camera advise`
        self._stream_counts: list[Callable[[], int]] = []
        self._open_streams.set_function(lambda: sum(count() for count in self._stream_counts))

    def request(self, call: Call, model: str) -> Answer:
        """Count and time one request as a context; set its version when that is known."""
        return Answer(self, call, model)

    def observe_inference(
        self, model: str, version: int, *, waited_s: float, inferred_s: float
    ) -> None:
        """Record how long a request waited for its turn and how long the runtime took."""
        series = self._inferred.get((model, version))
        if series is None:
            labels = (model, str(version))
            series = _VersionSeries(
                self._wait_us.labels(*labels), self._inference_us.labels(*labels)
            )
            self._inferred[model, version] = series
        series.wait_us.observe(waited_s * _US)
        series.inference_us.observe(inferred_s * _US)

    def observe_decoding(self, decoded_s: float) -> None:
        """Record how long one JPEG or PNG took to become pixels of the size wanted."""
        self._decode_us.observe(decoded_s * _US)

    def observe_batch(self, model: str, version: int, rows: int) -> None:
        """Record how many rows were inferred together."""
        self._batch_rows.labels(model, str(version)).observe(rows)

    def count_load(self, model: str, outcome: str) -> None:
        """Count a load that ended: loaded, refused, or dropped because its files changed."""
        self._loads.labels(model, outcome).inc()

    def count_broken(self, model: str) -> None:
        """Count a version that answers nobody any more after a request."""
        self._broken.labels(model).inc()

    def observe_load(self, model: str, *, probe_s: float, load_s: float) -> None:
        """Record how long a version took to be loaded, and tried out before unless it was known."""
        self._load_s.labels(model).observe(load_s)
        if probe_s:
            self._probe_s.labels(model).observe(probe_s)

    def tell_faults(self, count: int) -> None:
        """Show how many things are wrong."""
        self._faults.set(count)

    def watch_streams(self, count: Callable[[], int]) -> None:
        """Show the open streams of one more server; `count` is asked at every scrape."""
        self._stream_counts.append(count)

    def watch_version(
        self,
        model: str,
        version: int,
        *,
        slots: Callable[[], int],
        running: Callable[[], int],
        waiting: Callable[[], int],
    ) -> None:
        """Show a loaded version; `slots`, `running` and `waiting` are asked at every scrape."""
        self._know(model)
        labels = (model, str(version))
        self._streams.labels(*labels).set_function(slots)
        self._queue_size.labels(*labels).set_function(slots)
        self._active.labels(*labels).set_function(running)
        self._current.labels(*labels).set_function(lambda: running() + waiting())

    def forget_version(self, model: str, version: int) -> None:
        """Stop showing the gauges of a version that was unloaded, and later its counts."""
        for gauge in (self._streams, self._queue_size, self._active, self._current):
            gauge.remove(model, str(version))
        retired = self._retired.setdefault(model, deque())
        if version not in retired:
            retired.append(version)
        while len(retired) > _REMEMBERED_VERSIONS:
            self._drop_counts(model, retired.popleft())

    def count_reload(self, outcome: str) -> None:
        """Count a reload: changed, unchanged or refused."""
        self._reloads.labels(outcome).inc()

    def exposition(self) -> str:
        """Return everything that is shown in Prometheus's text format."""
        return as_text(filter(self._is_shown, self._registry.collect()))

    def count_success(self, call: Call, model: str, version: int | None, elapsed_s: float) -> None:
        """Count a request that was answered; without a version, by a model that is known."""
        if version is None:
            if model in self._known:
                self._success.labels(model, "", *call).inc()
            return
        series = self._answered.get((call, model, version))
        if series is None:
            self._know(model)
            number = str(version)
            series = _CallSeries(
                self._success.labels(model, number, *call),
                self._request_us.labels(call.interface, model, number),
            )
            self._answered[call, model, version] = series
        series.success.inc()
        series.request_us.observe(elapsed_s * _US)

    def count_failure(self, call: Call, model: str, error: Exception) -> None:
        """Count a request that ended with an error."""
        if isinstance(error, ModelNotFound | ModelVersionNotFound):
            self._unknown.labels(call.interface).inc()
            return
        name = getattr(error, "model", "") or model
        if name not in self._known:
            return
        version = str(getattr(error, "version", None) or "")
        self._fail.labels(name, version, call.api, call.interface, call.method).inc()
        if (reason := _REFUSALS.get(type(error))) is not None:
            self._refused.labels(name, reason).inc()

    def _drop_counts(self, model: str, version: int) -> None:
        """Forget an old version: else every one ever served would stay in memory."""
        for key in [key for key in list(self._answered) if key[1:] == (model, version)]:
            del self._answered[key]
        self._inferred.pop((model, version), None)
        labels = {"name": model, "version": str(version)}
        for metric in (self._success, self._fail, self._batch_rows):
            metric.remove_by_labels(labels)
        for histogram in (self._request_us, self._inference_us, self._wait_us):
            histogram.remove(labels)

    def _is_shown(self, metric: Metric) -> bool:
        is_ours = not metric.name.startswith("ovms_")
        return is_ours or not self._shown or metric.name in self._shown

    def _know(self, model: str) -> None:
        if model not in self._known:
            self._known |= {model}

    def _counter(self, name: str, documentation: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, documentation, labels, registry=self._registry)

    def _gauge(self, name: str, documentation: str, labels: tuple[str, ...] = _VERSION) -> Gauge:
        return Gauge(name, documentation, labels, registry=self._registry)

    def _quick(self, name: str, documentation: str, labels: tuple[str, ...]) -> QuickHistogram:
        return QuickHistogram(name, documentation, labels, BUCKETS_US, self._registry)

    def _histogram(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        bounds: tuple[float, ...] = BUCKETS_US,
    ) -> Histogram:
        return Histogram(name, documentation, labels, registry=self._registry, buckets=bounds)
