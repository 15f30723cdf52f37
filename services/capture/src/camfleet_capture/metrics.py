"""Prometheus metrics, read from the cameras when somebody asks."""

import math
from collections.abc import Callable, Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from camfleet_capture.camera import Camera
from camfleet_capture.camera_set import CameraSet
from camfleet_capture.pictures.judgement import PictureName
from camfleet_capture.recording.recorders import Recorders

_STATES = ("CONNECTING", "LIVE", "STALLED", "FAILED")
_PICTURES = get_args(PictureName)
_Figure = tuple[str, str, Callable[[Camera], float]]
_COUNTERS: tuple[_Figure, ...] = (
    ("frames", "Pictures read from the source.", lambda c: c.frames),
    ("bytes", "Bytes of coded pictures read from the source.", lambda c: c.octets),
    ("reconnects", "Times the source was opened again.", lambda c: c.reconnects),
    ("dropped_frames", "Pictures that slow readers did not get.", lambda c: c.stream.dropped),
)
_GAUGES: tuple[_Figure, ...] = (
    ("readers", "RTSP sessions that play.", lambda c: c.stream.readers),
    ("fps", "Pictures per second lately.", lambda c: c.fps or 0.0),
    ("bits_per_second", "Bits of coded pictures lately.", lambda c: c.bits_per_s or 0.0),
    ("frame_age_seconds", "Age of the newest picture.", lambda c: _finite(c.age_s)),
)


class CameraMetrics:
    """Renders the metrics of all cameras."""

    def __init__(self, cameras: CameraSet, recorders: Recorders) -> None:
        self._cameras, self._recorders = cameras, recorders
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def render(self) -> bytes:
        """Return the text Prometheus scrapes."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield one family per figure, one sample per camera."""
        cameras = self._cameras.all()
        for name, text, value in _COUNTERS:
            counter = CounterMetricFamily(f"camfleet_capture_{name}", text, labels=["camera"])
            for camera in cameras:
                counter.add_metric([camera.stream.name], value(camera))
            yield counter
        for name, text, value in _GAUGES:
            gauge = GaugeMetricFamily(f"camfleet_capture_{name}", text, labels=["camera"])
            for camera in cameras:
                gauge.add_metric([camera.stream.name], value(camera))
            yield gauge
        yield from _of_recordings(self._recorders)
        yield _one_of("state", "the state a camera is in", _STATES, cameras, _state_of)
        yield _one_of("picture", "what its pictures look like", _PICTURES, cameras, _picture_of)


def _of_recordings(recorders: Recorders) -> Iterable[Metric]:
    held = GaugeMetricFamily(
        "camfleet_capture_recording_bytes", "Of the camera's files on the disk.", labels=["camera"]
    )
    lost = CounterMetricFamily(
        "camfleet_capture_recording_lost_frames",
        "Pictures that could not be recorded.",
        labels=["camera"],
    )
    for recorder in recorders.all():
        labels = [recorder.stream.name]
        held.add_metric(labels, sum(segment.size_bytes for segment in recorder.segments))
        lost.add_metric(labels, recorder.tally.lost)
    yield from (held, lost)


def _one_of(
    name: str,
    text: str,
    words: tuple[str, ...],
    cameras: list[Camera],
    word_of: Callable[[Camera], str | None],
) -> Metric:
    """Return a family with one sample for each word a camera may have, 1 for the one it has."""
    labels = ["camera", name]
    family = GaugeMetricFamily(f"camfleet_capture_{name}", f"1 for {text}.", labels=labels)
    for camera in cameras:
        current = word_of(camera)
        for word in words:
            family.add_metric([camera.stream.name, word], float(word == current))
    return family


def _state_of(camera: Camera) -> str:
    return camera.condition.state


def _picture_of(camera: Camera) -> str | None:
    return camera.picture


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
