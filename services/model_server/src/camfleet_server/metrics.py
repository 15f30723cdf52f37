"""Metrics: OpenVINO Model Server's names, labels and buckets, and a few of our own.

Series of a model appear when a version of it is loaded (`watch_version`) or first answers, never
because somebody asked for a name that is not served.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.samples import Sample

from camfleet_server.errors import (
    DeadlineExceeded,
    ModelNotFound,
    ModelVersionNotFound,
    QueueFull,
    Superseded,
)

BUCKETS_US = tuple(math.floor(10 * 1.8**exponent) for exponent in range(33))
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_CALL = ("name", "version", "api", "interface", "method")
_VERSION = ("name", "version")
_US = 1_000_000
_REFUSALS = {QueueFull: "queue_full", Superseded: "superseded", DeadlineExceeded: "deadline"}


@dataclass(frozen=True, slots=True)
class Call:
    """What was called, in the words of OVMS's labels."""

    api: str  # KServe, TensorFlowServing
    interface: str  # gRPC, REST
    method: str


@dataclass(slots=True)
class Answer:
    """Filled in while a request is answered: the version that answered it."""

    version: int | None = None


class ServerMetrics:
    """All metrics of one server; every method may be called from any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._known: frozenset[str] = frozenset()
        self._success = self._counter("ovms_requests_success", "Requests answered", _CALL)
        self._fail = self._counter("ovms_requests_fail", "Requests answered with an error", _CALL)
        self._request_us = self._histogram(
            "ovms_request_time_us", "From the request to its answer", ("interface", *_VERSION)
        )
        self._inference_us = self._histogram(
            "ovms_inference_time_us", "Time in the runtime", _VERSION
        )
        self._wait_us = self._histogram(
            "ovms_wait_for_infer_req_time_us", "Time waiting for a turn", _VERSION
        )
        self._streams = self._gauge("ovms_streams", "Requests that can run at once")
        self._queue_size = self._gauge("ovms_infer_req_queue_size", "Infer requests of a version")
        self._active = self._gauge("ovms_infer_req_active", "Infer requests in use")
        self._current = self._gauge("ovms_current_requests", "Requests running or waiting")
        self._refused = self._counter(
            "camfleet_requests_refused", "Requests refused by admission", ("name", "reason")
        )
        self._reloads = self._counter("camfleet_reloads", "Reloads by outcome", ("outcome",))
        self._unknown = self._counter(
            "camfleet_unknown_model_requests", "Requests for what is not served", ("interface",)
        )

    @contextmanager
    def request(self, call: Call, model: str) -> Iterator[Answer]:
        """Count and time one request; set the version of the yielded answer when it is known."""
        answer = Answer()
        started = time.perf_counter()
        try:
            yield answer
        except Exception as error:
            self._count_failure(call, model, error)
            raise
        self._count_success(call, model, answer.version, time.perf_counter() - started)

    def observe_inference(
        self, model: str, version: int, *, waited_s: float, inferred_s: float
    ) -> None:
        """Record how long a request waited for its turn and how long the runtime took."""
        self._wait_us.labels(model, str(version)).observe(waited_s * _US)
        self._inference_us.labels(model, str(version)).observe(inferred_s * _US)

    def watch_version(
        self,
        model: str,
        version: int,
        slots: int,
        *,
        running: Callable[[], int],
        waiting: Callable[[], int],
    ) -> None:
        """Show a loaded version; `running` and `waiting` are asked at every scrape."""
        self._know(model)
        labels = (model, str(version))
        self._streams.labels(*labels).set(slots)
        self._queue_size.labels(*labels).set(slots)
        self._active.labels(*labels).set_function(running)
        self._current.labels(*labels).set_function(lambda: running() + waiting())

    def forget_version(self, model: str, version: int) -> None:
        """Stop showing the gauges of a version that was unloaded."""
        for gauge in (self._streams, self._queue_size, self._active, self._current):
            gauge.remove(model, str(version))

    def count_reload(self, outcome: str) -> None:
        """Count a reload: changed, unchanged or refused."""
        self._reloads.labels(outcome).inc()

    def exposition(self) -> str:
        """Return everything in Prometheus's text format, OVMS's names without suffixes."""
        lines: list[str] = []
        for metric in self._registry.collect():
            lines += [f"# HELP {_name_of(metric)} {metric.documentation}"]
            lines += [f"# TYPE {_name_of(metric)} {metric.type}"]
            lines += [_line_of(s) for s in metric.samples if not s.name.endswith("_created")]
        return "\n".join([*lines, ""])

    def _count_success(self, call: Call, model: str, version: int | None, elapsed_s: float) -> None:
        if version is not None:
            self._know(model)
            self._request_us.labels(call.interface, model, str(version)).observe(elapsed_s * _US)
        if model in self._known:
            number = str(version or "")
            self._success.labels(model, number, call.api, call.interface, call.method).inc()

    def _count_failure(self, call: Call, model: str, error: Exception) -> None:
        if isinstance(error, ModelNotFound | ModelVersionNotFound):
            self._unknown.labels(call.interface).inc()
        elif model in self._known:
            version = str(getattr(error, "version", None) or "")
            self._fail.labels(model, version, call.api, call.interface, call.method).inc()
        if (reason := _REFUSALS.get(type(error))) is not None:
            self._refused.labels(model, reason).inc()

    def _know(self, model: str) -> None:
        if model not in self._known:
            self._known |= {model}

    def _counter(self, name: str, documentation: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, documentation, labels, registry=self._registry)

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(name, documentation, _VERSION, registry=self._registry)

    def _histogram(self, name: str, documentation: str, labels: tuple[str, ...]) -> Histogram:
        return Histogram(name, documentation, labels, registry=self._registry, buckets=BUCKETS_US)


def _name_of(metric: Metric) -> str:
    is_ours = metric.type == "counter" and not metric.name.startswith("ovms_")
    return metric.name + "_total" if is_ours else str(metric.name)


def _line_of(sample: Sample) -> str:
    name = sample.name.removesuffix("_total") if sample.name.startswith("ovms_") else sample.name
    pairs = [f'{key}="{_label(key, value)}"' for key, value in sample.labels.items() if value]
    labels = "{" + ",".join(pairs) + "}" if pairs else ""
    return f"{name}{labels} {_number(sample.value)}"


def _label(key: str, value: str) -> str:
    if key == "le" and value != "+Inf":
        return _number(float(value))
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
