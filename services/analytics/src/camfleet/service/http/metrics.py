"""Figures of all pipelines for Prometheus, read when they are asked for."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from camfleet.service.events.hub import StreamHub
from camfleet.service.fleet import PipelineFleet
from camfleet.service.pipeline import Pipeline
from camfleet.video.connection import ReaderState

_GAUGES: Mapping[str, tuple[str, Callable[[Pipeline], float | None]]] = {
    "camfleet_camera_live": (
        "1 while frames arrive",
        lambda p: float(p.source.connection.state is ReaderState.LIVE),
    ),
    "camfleet_camera_resting": (
        "1 while only key frames are decoded",
        lambda p: float(p.source.rest.is_resting),
    ),
    "camfleet_camera_fps": (
        "Analysed frames per second",
        lambda p: p.statistics.fps(time.monotonic()),
    ),
    "camfleet_camera_latency_ms": (
        "Mean time from capture to result",
        lambda p: p.statistics.latency_ms,
    ),
    "camfleet_camera_request_ms": (
        "Mean time of a model server request",
        lambda p: p.statistics.request_ms,
    ),
    "camfleet_camera_track_ms": (
        "Mean time of tracking and counting",
        lambda p: p.statistics.track_ms,
    ),
}
_COUNTERS: Mapping[str, tuple[str, Callable[[Pipeline], float]]] = {
    "camfleet_frames_decoded": ("Frames decoded", lambda p: p.source.counts.decoded),
    "camfleet_frames_rested": (
        "Coded frames not decoded, at rest",
        lambda p: p.source.counts.rested,
    ),
    "camfleet_frames_undecodable": (
        "Coded frames the decoder refused",
        lambda p: p.source.counts.undecodable,
    ),
    "camfleet_frames_late": ("Frames too old when they came", lambda p: p.source.counts.late),
    "camfleet_frames_replaced": (
        "Frames replaced by a newer one before anybody looked",
        lambda p: p.source.slot.replaced,
    ),
    "camfleet_frames_skipped": (
        "Frames not due at the wanted rate",
        lambda p: p.source.slot.skipped,
    ),
    "camfleet_frames_asked": ("Frames the model answered", lambda p: p.ledger.asked),
    "camfleet_frames_analysed": ("Frames analysed", lambda p: p.statistics.analysed),
    "camfleet_frames_still": (
        "Analysed frames in which nothing moved: the answer before was repeated",
        lambda p: p.statistics.still,
    ),
    "camfleet_frames_shared": (
        "Frames that another camera's request to the model answered",
        lambda p: p.statistics.shared,
    ),
    "camfleet_frames_failed": ("Frames the model did not answer", lambda p: p.statistics.failed),
    "camfleet_results_published": ("Results given to the stream", lambda p: p.statistics.published),
    "camfleet_connections": ("Connections to the camera", lambda p: p.source.counts.connections),
}


_SINK_GAUGES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], float]]] = {
    "camfleet_sink_connected": ("1 while it works", lambda s: float(s["state"] == "connected")),
    "camfleet_sink_queued": ("Events that wait", lambda s: s["queued"]),
}
_SINK_COUNTERS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], float]]] = {
    "camfleet_sink_delivered": ("Events delivered", lambda s: s["delivered"]),
    "camfleet_sink_refused": ("Events the other side refused for good", lambda s: s["refused"]),
    "camfleet_sink_dropped": ("Events that went at the bound", lambda s: s["dropped"]),
    "camfleet_sink_failures": ("Times it was down", lambda s: s["failures"]),
}
SinkFacts = Callable[[], list[dict[str, Any]]]


class SinkCollector(Collector):
    """The figures of the sinks."""

    def __init__(self, facts: SinkFacts) -> None:
        self._facts = facts

    def collect(self) -> Iterable[Metric]:
        """All families, with the sink's name and kind."""
        facts, labels = self._facts(), ["sink", "kind"]
        for name, (text, gauge_of) in _SINK_GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=labels)
            for sink in facts:
                gauge.add_metric([sink["name"], sink["kind"]], gauge_of(sink))
            yield gauge
        for name, (text, counter_of) in _SINK_COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=labels)
            for sink in facts:
                counter.add_metric([sink["name"], sink["kind"]], counter_of(sink))
            yield counter


class PipelineCollector(Collector):
    """Turns snapshots into metric families; costs nothing between scrapes."""

    def __init__(self, fleet: PipelineFleet, hub: StreamHub) -> None:
        self._fleet, self._hub = fleet, hub

    def collect(self) -> Iterable[Metric]:
        """All families."""
        pipelines = self._fleet.pipelines
        for name, (text, gauge_of) in _GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["camera"])
            for camera, pipeline in pipelines.items():
                if (value := gauge_of(pipeline)) is not None:
                    gauge.add_metric([camera], value)
            yield gauge
        for name, (text, counter_of) in _COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["camera"])
            for camera, pipeline in pipelines.items():
                counter.add_metric([camera], counter_of(pipeline))
            yield counter
        yield from self._of_lines(pipelines)
        yield from _costs(pipelines)
        yield from _cascades(pipelines)
        yield GaugeMetricFamily("camfleet_stream_clients", "Stream clients", self._hub.listeners)
        yield CounterMetricFamily(
            "camfleet_stream_refused", "Connections over a quota", self._hub.quotas.refused
        )
        yield CounterMetricFamily(
            "camfleet_stream_left_out", "Results over a quota", self._hub.quotas.left_out
        )
        yield CounterMetricFamily(
            "camfleet_events_dropped", "Events dropped at the bound", self._hub.journal.dropped
        )

    def _of_lines(self, pipelines: Mapping[str, Pipeline]) -> Iterable[Metric]:
        crossed = CounterMetricFamily(
            "camfleet_line_crossings", "Crossings", labels=["camera", "line", "direction"]
        )
        for camera, pipeline in pipelines.items():
            for line, count in pipeline.counts.items():
                crossed.add_metric([camera, line, "in"], count.entered)
                crossed.add_metric([camera, line, "out"], count.left)
        yield crossed


def _costs(pipelines: Mapping[str, Pipeline]) -> Iterable[Metric]:
    """The ledgers: where a camera's time goes, and what its threads take of the processor."""
    stages = CounterMetricFamily(
        "camfleet_camera_stage_seconds", "Time by stage", labels=["camera", "stage"]
    )
    threads = CounterMetricFamily(
        "camfleet_camera_processor_seconds", "Processor time", labels=["camera", "thread"]
    )
    for camera, pipeline in pipelines.items():
        counts = pipeline.source.counts
        for stage, seconds in pipeline.ledger.stages(counts).items():
            stages.add_metric([camera, stage], seconds)
        for thread, seconds in pipeline.ledger.threads(counts).items():
            threads.add_metric([camera, thread], seconds)
    yield stages
    yield threads


def _cascades(pipelines: Mapping[str, Pipeline]) -> Iterable[Metric]:
    labels = ["camera", "cascade"]
    asked = CounterMetricFamily("camfleet_cascade_requests", "Objects asked about", labels=labels)
    failed = CounterMetricFamily("camfleet_cascade_failures", "Without an answer", labels=labels)
    for camera, pipeline in pipelines.items():
        for running in pipeline.cascades:
            asked.add_metric([camera, running.cascade.name], running.worker.asked)
            failed.add_metric([camera, running.cascade.name], running.worker.failed)
    yield asked
    yield failed


def registry_of(fleet: PipelineFleet, hub: StreamHub, sinks: SinkFacts) -> CollectorRegistry:
    """A registry of its own, so that two services may live in one test."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(PipelineCollector(fleet, hub))
    registry.register(SinkCollector(sinks))
    return registry
