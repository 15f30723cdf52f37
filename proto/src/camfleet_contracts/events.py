"""Results and events on the wire: the alwaysAI JSON envelope, field by field, and what we add."""

import uuid
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, computed_field

from camfleet_contracts.clock import rfc3339

BaseService = Literal[
    "ObjectDetection",
    "Classification",
    "PoseEstimation",
    "SemanticSegmentation",
    "ReIdentification",
]

ZONE_LABELS = frozenset({"zone_entered", "zone_left", "zone_dwelt"})  # `event_label` of zones
RESULT_TYPES = frozenset(
    {
        "ObjectDetectionResults",
        "TrackingResults",
        "ClassificationResults",
        "InstanceSegmentationResults",
        "HumanPoseResult",
        "ReIdentificationResults",
        "QRCodeDetectionResults",
        "BarcodeDetectionResults",
    }
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())


class Box(_Part):
    """A box in pixels of the frame; the centre is written beside the corners."""

    start_x: int
    start_y: int
    end_x: int
    end_y: int

    @computed_field  # type: ignore[prop-decorator]  # pydantic's documented order
    @property
    def center_x(self) -> float:
        """Middle, in pixels."""
        return (self.start_x + self.end_x) / 2

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def center_y(self) -> float:
        """Middle, in pixels."""
        return (self.start_y + self.end_y) / 2


class ObjectDetectionPrediction(_Part):
    """One detected object.

    `estimate` is a tracker's centre (x, y) in pixels. Where the model makes masks, `area` is the
    share of the frame (0..1) that the object's mask covers, and `outlines` are polygons around it
    (x1, y1, x2, y2, ... in pixels), filled by the even-odd rule. Where it finds points of a body,
    `key_points` are they: x, y in pixels, confidence.
    """

    box: Box
    confidence: float
    label: str
    index: int
    estimate: tuple[float, float] | None = None
    area: float | None = None
    outlines: tuple[tuple[int, ...], ...] | None = None
    key_points: tuple[tuple[float, float, float], ...] | None = None


class ObjectDetectionResults(_Part):
    """What a detector found in one frame; `duration` in seconds."""

    predictions: tuple[ObjectDetectionPrediction, ...]
    duration: float
    model_id: str
    model_version: int | None = None


class Attribute(_Part):
    """What a second model says of one object.

    A classifier's views are a vote: the elected `label` and its mean `confidence`. Others tell what
    they found in the newest view: `predictions`, a body's `key_points` (x, y in pixels of the
    frame, confidence), an `embedding` (of length 1).
    """

    label: str | None = None
    confidence: float | None = None
    predictions: tuple[ObjectDetectionPrediction, ...] | None = None
    key_points: tuple[tuple[float, float, float], ...] | None = None
    embedding: tuple[float, ...] | None = None
    views: int
    model_id: str
    model_version: int | None = None


class TrackedObject(_Part):
    """One tracked object and its newest detection; `attributes` by the names of the cascades."""

    id: int
    prediction: ObjectDetectionPrediction = Field(serialization_alias="ObjectDetectionPrediction")
    attributes: dict[str, Attribute] | None = None


class TrackingResults(_Part):
    """What a tracker follows after one frame; `duration` of the detection in seconds."""

    objects: tuple[TrackedObject, ...]
    tracking_algorithm: str
    model_id: str
    model_version: int | None = None
    duration: float | None = None


class _Happening(_Part):
    event_label: str
    object_label: str | None = None
    object_id: int | None = None
    camera_label: str | None = None
    zone_label: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class OccurrenceEvent(_Happening):
    """Something happened at one moment, e.g. a line was crossed."""


class ValueEvent(_Happening):
    """Something had a value at one moment, e.g. how many wait."""

    value: float


class StartTimedEvent(_Happening):
    """Something began; the event that ends it has the same `event_id` in its results."""

    event_id: str = Field(default_factory=lambda: str(uuid.uuid4()))


class EndTimedEvent(_Happening):
    """What began with a StartTimedEvent of this `event_id` ended."""

    event_id: str


class CompleteTimedEvent(_Part):
    """Something that began and ended, told in one; times are RFC 3339 UTC."""

    event_label: str
    event_id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    start_timestamp: str
    end_timestamp: str
    start_object_label: str | None = None
    end_object_label: str | None = None
    start_object_id: int | None = None
    end_object_id: int | None = None
    start_camera_label: str | None = None
    end_camera_label: str | None = None
    start_zone_label: str | None = None
    end_zone_label: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


Event = OccurrenceEvent | ValueEvent | StartTimedEvent | EndTimedEvent | CompleteTimedEvent
Results = ObjectDetectionResults | TrackingResults


class Envelope(_Part):
    """The message around every result and event.

    `seq` and `epoch` are set for events only (gapless per device and epoch); times are RFC 3339
    UTC.
    """

    timestamp: str
    device_id: str
    type: str
    base_service: str | None = None
    tag: Any = None
    results: dict[str, Any]
    camera: str | None = None
    event_id: str
    epoch: str | None = None
    seq: int | None = None
    captured_at: str | None = None
    received_at: str | None = None

    @property
    def is_result(self) -> bool:
        """Whether it is live only (no outbox, no seq)."""
        return self.type in RESULT_TYPES

    def to_json(self) -> str:
        """Return the one-line JSON text that goes over the wire."""
        return self.model_dump_json(
            by_alias=True, exclude={"epoch", "seq"} if self.is_result else None
        )


class Origin(NamedTuple):
    """Where a message comes from; `base_service` is None for what no model made."""

    device_id: str
    camera: str | None = None
    base_service: BaseService | None = None


class Times(NamedTuple):
    """When the frame was captured and when it was received (aware times)."""

    captured_at: datetime
    received_at: datetime


def envelope(
    results: Results | Event | dict[str, Any],
    origin: Origin,
    times: Times,
    *,
    tag: Any = None,
) -> Envelope:
    """Wrap results; a plain dict becomes a CustomEvent."""
    if isinstance(results, dict):
        kind, body = "CustomEvent", results
    else:
        kind = type(results).__name__
        body = results.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Envelope(
        timestamp=rfc3339(times.captured_at),
        device_id=origin.device_id,
        type=kind,
        base_service=origin.base_service,
        tag=tag,
        results=body,
        camera=origin.camera,
        event_id=str(uuid.uuid4()),
        captured_at=rfc3339(times.captured_at),
        received_at=rfc3339(times.received_at),
    )
