"""Measures on this box what a camera costs, stage by stage, each for a bounded time."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from camfleet.cli.capacity.films import Film
from camfleet.cli.errors import CommandError
from camfleet.cli.links import key_store
from camfleet.detections import Detections
from camfleet.inference.detector import ServerDetector
from camfleet.inference.errors import InferenceError
from camfleet.inference.model_client import Access, ModelClient
from camfleet.tracking.box_tracker import BoxTracker
from camfleet_contracts.direct import read_service, server_rest_address
from camfleet_contracts.settings import FleetSettings

OBJECTS = 16  # in a picture, for tracking; as many as a detector hands over on a busy street
CONFIDENCE = 0.5
_PAUSE_S = 0.2  # between two frames, so that caches are as cold as cameras find them
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class InferenceCost:
    """One frame that the model is asked about, in milliseconds of processor time."""

    client_ms: float  # scaling, sending, decoding the answer
    server_ms: float | None  # None: the server is on another machine, or shows no figures
    answer_ms: float  # that a request took


def decoding_ms(film: Film, seconds: float) -> float:
    """Processor time of a frame, decoded as analytics decodes it."""
    decoded, began, busy = 0, time.monotonic(), time.thread_time()
    while time.monotonic() - began < seconds:
        decoded += _decode(film)
    return 1000 * (time.thread_time() - busy) / decoded


def first_picture(film: Film) -> av.VideoFrame:
    """A picture of the film."""
    with av.open(io.BytesIO(film.content), "r") as container:
        return next(container.decode(video=0))


def _decode(film: Film) -> int:
    with av.open(io.BytesIO(film.content), "r") as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "SLICE", 1
        return sum(picture is not None for picture in container.decode(stream))


def tracking_ms(fps: float, seconds: float) -> float:
    """Processor time of tracking a frame with some objects that move."""
    tracker = BoxTracker("bytetrack", CONFIDENCE, {})
    tracker.prepare()
    frames, began, busy = 0, time.monotonic(), time.thread_time()
    while time.monotonic() - began < seconds:
        tracker.update(_crowd(frames), frames / fps)
        frames += 1
        time.sleep(_PAUSE_S)
    return 1000 * (time.thread_time() - busy) / frames


def _crowd(frame: int) -> Detections:
    left = np.arange(OBJECTS) * 75.0 + (frame * 3) % 50
    top = np.full(OBJECTS, 200.0)
    return Detections(
        np.stack([left, top, left + 60, top + 120], axis=1).astype(np.float32),
        np.full(OBJECTS, 0.9, np.float32),
        np.zeros(OBJECTS, np.int64),
        ("person",) * OBJECTS,
    )


def inference(
    settings: FleetSettings, model: str, picture: av.VideoFrame, seconds: float
) -> InferenceCost:
    """Ask the running model server about a picture again and again.

    Raises:
        CommandError: it does not run, or does not serve the model.
    """
    with _client(settings) as client:
        detector = ServerDetector(client)
        try:
            detector.detect(picture, model, CONFIDENCE)  # the first one asks for the manifest, too
            return _asked(
                settings, lambda: detector.detect(picture, model, CONFIDENCE).duration_s, seconds
            )
        except InferenceError as error:
            raise CommandError(f"capacity needs the model server: {error}") from error


def _asked(settings: FleetSettings, ask: Callable[[], float], seconds: float) -> InferenceCost:
    idle_ms = _idle_ms(settings, seconds / 4)
    answers: list[float] = []
    served, began, busy = _server_busy_s(settings), time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        answers.append(ask())
        time.sleep(_PAUSE_S)
    elapsed = time.monotonic() - began
    client_ms = 1000 * (time.process_time() - busy) / len(answers)
    now = _server_busy_s(settings)
    answer_ms = 1000 * sum(answers) / len(answers)
    if served is None or now is None or idle_ms is None:
        return InferenceCost(client_ms, None, answer_ms)
    server_ms = (1000 * (now - served) - idle_ms * elapsed) / len(answers)
    return InferenceCost(client_ms, max(0.0, server_ms), answer_ms)


def _idle_ms(settings: FleetSettings, seconds: float) -> float | None:
    """What the server takes a second without us."""
    before = _server_busy_s(settings)
    time.sleep(seconds)
    after = _server_busy_s(settings)
    return None if before is None or after is None else 1000 * (after - before) / seconds


def _server_busy_s(settings: FleetSettings) -> float | None:
    try:
        text = read_service(f"{server_rest_address(settings)}/metrics", _TIMEOUT_S).decode()
    except OSError:
        return None
    for family in text_string_to_metric_families(text.replace("# TYPE ovms_requests", "# ovms")):
        for sample in family.samples:
            if sample.name == "process_cpu_seconds_total":
                return float(sample.value)
    return None


@contextmanager
def _client(settings: FleetSettings) -> Iterator[ModelClient]:
    ca_file = str(settings.tls_ca) if settings.tls_ca else None
    client = ModelClient(settings.server, Access(key_store(settings).fleet_secret(), ca_file))
    try:
        yield client
    finally:
        client.close()
