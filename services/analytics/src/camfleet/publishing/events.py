"""Events that applications publish."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from camfleet_contracts.clock import now_utc, rfc3339


def generate_event_timestamp() -> str:
    """Now, as events want it: RFC 3339, UTC."""
    return rfc3339(now_utc())


def _new_id() -> str:
    return str(uuid.uuid4())


def _is_id(text: object) -> bool:
    """Whether it is an id as events get by themselves."""
    try:
        return str(uuid.UUID(str(text))) == text
    except ValueError:
        return False


class _Published:
    """What all events can do."""

    def publish_event(self, **kwargs: Any) -> None:
        """Publish it, as publish_analytics() does.

        Raises:
            PublishError: it is too large, or one too many, or was refused.
        """
        from camfleet.publishing.publisher import publish_analytics  # noqa: PLC0415 - it knows us

        publish_analytics(self, **kwargs)


@dataclass
class OccurrenceEvent(_Published):
    """Something happened at one moment."""

    timestamp: str
    event_label: str
    event_id: str | None = None
    object_label: str | None = None
    object_id: int | str | None = None
    camera_label: str | None = None
    data: Any = None
    zone_label: str | None = None


@dataclass
class ValueEvent(_Published):
    """Something had a value at one moment; edgeIQ's versions differ in the order of the first."""

    timestamp: str
    value: float
    event_label: str
    object_label: str | None = None
    event_id: str | None = None
    object_id: int | str | None = None
    camera_label: str | None = None
    data: Any = None
    zone_label: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.value, str) and not isinstance(self.event_label, str):
            self.value, self.event_label = self.event_label, self.value


@dataclass
class StartTimedEvent(_Published):
    """Something begins; its end has the same event_id."""

    timestamp: str
    event_label: str
    event_id: str | None = field(default_factory=_new_id)
    object_label: str | None = None
    object_id: int | str | None = None
    camera_label: str | None = None
    data: Any = None
    zone_label: str | None = None


@dataclass
class EndTimedEvent(_Published):
    """What began with this event_id ends; edgeIQ's versions differ in the order of id and label."""

    timestamp: str
    event_id: str
    event_label: str
    object_label: str | None = None
    object_id: int | str | None = None
    camera_label: str | None = None
    data: Any = None
    zone_label: str | None = None

    def __post_init__(self) -> None:
        if _is_id(self.event_label) and not _is_id(self.event_id):
            self.event_id, self.event_label = self.event_label, self.event_id


@dataclass
class CompleteTimedEvent(_Published):
    """Something that began and ended, told in one."""

    start_timestamp: str
    end_timestamp: str
    event_label: str
    event_id: str | None = field(default_factory=_new_id)
    start_object_label: str | None = None
    start_object_id: int | str | None = None
    start_camera_label: str | None = None
    start_zone_label: str | None = None
    data: Any = None
    end_camera_label: str | None = None
    end_zone_label: str | None = None
    end_object_id: int | str | None = None
    end_object_label: str | None = None


@dataclass
class CustomEvent(_Published):
    """Anything: `results` is a dict of plain values; other things become {"value": them}."""

    results: Any
    tag: Any = None


Event = (
    OccurrenceEvent
    | ValueEvent
    | StartTimedEvent
    | EndTimedEvent
    | CompleteTimedEvent
    | CustomEvent
)
