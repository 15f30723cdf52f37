"""Stand-ins for what surrounds a pipeline: a scripted camera, a scripted detector, a collector."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
from starlette.routing import BaseRoute

from camfleet.detections import Detections
from camfleet.inference.detector import Detected
from camfleet.inference.errors import InferenceError
from camfleet.inference.served_model import ServedModel, TensorSpec
from camfleet.service.live_ports import Feed, LiveCamera
from camfleet.video.connection import Connection, ReaderCounts, ReaderState
from camfleet.video.frames import Frame, FrameSlot
from camfleet.video.once import Once
from camfleet.video.resting import Rest
from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_file import parse_cameras
from camfleet_contracts.events import Envelope
from camfleet_contracts.model_manifest import parse_manifest

Box = tuple[float, float, float, float]
LIVE = Connection(ReaderState.LIVE, None, 640, 480, 10.0, "h264")


def picture(width: int = 640, height: int = 480) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="rgb24")


def frame(number: int, pts_s: float | None = None, connection: int = 1) -> Frame:
    """Frame `number` of a stream of ten a second."""
    now = datetime.now(UTC)
    pts_s = number / 10 if pts_s is None else pts_s
    return Frame(picture(), number, pts_s, now, now, number / 10, connection)


def boxes(*found: Box, label: str = "car", confidence: float = 0.9) -> Detections:
    return Detections(
        np.array(found, np.float32).reshape(-1, 4),
        np.full(len(found), confidence, np.float32),
        np.zeros(len(found), np.int64),
        (label,) * len(found),
    )


def standing_at(
    *anchors: tuple[float, float], label: str = "car", height: float = 20
) -> Detections:
    """One object per anchor, its bottom centre there; the ids are 1, 2, 3 ..."""
    count = len(anchors)
    return Detections(
        np.array([[x - 5, y - height, x + 5, y] for x, y in anchors], np.float32),
        np.full(count, 0.9, np.float32),
        np.zeros(count, np.int64),
        (label,) * count,
        np.arange(1, count + 1),
    )


def served(version: int = 1, name: str = "cars", decoder: str = "yolox") -> ServedModel:
    manifest = parse_manifest(
        {"id": name, "labels": ["car"], "postprocess": {"decoder": decoder}}, where="test"
    )
    return ServedModel(name, version, manifest, TensorSpec("x", "FP32", (1, 3, 32, 32)))


def camera(pipeline: str = "{fps: 10, model: cars}", name: str = "door", extra: str = "") -> Camera:
    text = f"cameras:\n  - {{name: {name}, source: clip.mp4, pipeline: {pipeline}{extra}}}\n"
    return parse_cameras(text, path=Path("cameras.yaml")).cameras[0]


class ScriptedSource:
    """A camera whose frames the test puts into the slot, each taken before the next one."""

    def __init__(self, connection: Connection = LIVE) -> None:
        self.slot = FrameSlot()
        self.connection = connection
        self.counts = ReaderCounts()
        self.rest = Rest()
        self.live_shift_s = 0.0
        self.reads_with: tuple[str, ...] = ()
        self.is_running = False

    def start(self) -> None:
        self.is_running = True

    def has_nothing_to_take(self) -> bool:
        return self.slot._frame is None

    def stop(self, timeout_s: float = 0) -> None:
        self.is_running = False

    def lose(self, state: ReaderState, reason: str) -> None:
        self.connection = replace(self.connection, state=state, reason=reason)


class ScriptedDetector:
    """Answers every picture with what the test has set last."""

    def __init__(self) -> None:
        self.answer: Callable[[int], Detections | InferenceError] = lambda _: boxes()
        self.model = served()
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def detect(
        self, picture: av.VideoFrame, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        with self._lock:
            self.asked.append(reference)
            answer = self.answer(len(self.asked))
        if isinstance(answer, InferenceError):
            raise answer
        return Detected(answer, self.model, 0.01)

    def detect_all(
        self, pictures: Sequence[av.VideoFrame], reference: str, confidence: float
    ) -> list[Detected]:
        return [self.detect(one, reference, confidence) for one in pictures]


class CollectingPublisher:
    """Keeps what pipelines publish."""

    def __init__(self) -> None:
        self.is_listened_to = True
        self.results: list[Envelope] = []
        self.events: list[Envelope] = []

    def wants_results(self, camera: str | None) -> bool:
        return self.is_listened_to

    def publish_result(self, message: Envelope) -> None:
        self.results.append(message)

    def publish_event(self, message: Envelope) -> None:
        self.events.append(message)

    def labelled(self, label: str) -> list[Envelope]:
        return [event for event in self.events if event.results["event_label"] == label]


def falling(steps: Sequence[float]) -> list[Detections]:
    """One car per step, its bottom edge at that height in a picture 480 high."""
    return [boxes((300, bottom - 60, 360, bottom)) for bottom in steps]


class NoLiveCamera:
    """A live picture nobody looks at."""

    wants_pictures = False

    def push_stream(self, stream: av.VideoStream) -> None:
        """Ignore it."""

    def push_packet(self, packet: "av.Packet[av.VideoStream]") -> None:
        """Ignore it."""

    def push_end(self) -> None:
        """Ignore it."""

    def push_picture(self, frame: Frame, result: dict[str, object] | None) -> None:
        """Ignore it."""

    def refuse(self, reason: str) -> None:
        """Ignore it."""

    def feed_with(self, feed: Feed | None, note: str | None = None) -> None:
        """Ignore it."""


class NoLiveVideo:
    """Live video of a service whose pictures nobody looks at."""

    def camera(self, name: str) -> LiveCamera:
        """One that ignores everything."""
        return NoLiveCamera()

    def remove_camera(self, name: str) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to end."""

    def routes(self) -> list[BaseRoute]:
        """No routes."""
        return []
