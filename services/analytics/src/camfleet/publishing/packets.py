"""From results and events to packets, lines of JSON, and back."""

import json
import os
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

from camfleet.publishing.errors import BadAnalytics, PacketSizeError
from camfleet.publishing.events import (
    CompleteTimedEvent,
    CustomEvent,
    EndTimedEvent,
    OccurrenceEvent,
    StartTimedEvent,
    ValueEvent,
    generate_event_timestamp,
)
from camfleet.publishing.reading import READERS
from camfleet.publishing.serialize import to_json_serializable
from camfleet_contracts.events import RESULT_TYPES, Envelope
from camfleet_contracts.packets import LARGEST_PACKET_BYTES, BadPacket, check_packet

_MOMENTS = (OccurrenceEvent, ValueEvent, StartTimedEvent, EndTimedEvent)
_SERVICES = {
    "ObjectDetectionResults": "ObjectDetection",
    "TrackingResults": "ObjectDetection",
    "ClassificationResults": "Classification",
    "HumanPoseResult": "PoseEstimation",
    "InstanceSegmentationResults": "InstanceSegmentation",
    "ReIdentificationResults": "ReIdentification",
    "QRCodeDetectionResults": "QRCodeDetection",
    "BarcodeDetectionResults": "BarcodeDetection",
}


def packet_of(
    results: Any, tag: Any = None, *, device_id: str = "", base_service: str | None = None
) -> Envelope:
    """The packet of results or an event; anything else is a CustomEvent.

    Raises:
        TypeError: something in it has no form in JSON.
        BadPacket: an event's time is none, or its label is one of the fleet's own.
    """
    kind = type(results).__name__
    is_known = kind in RESULT_TYPES or isinstance(results, (*_MOMENTS, CompleteTimedEvent))
    body = _body(results) if is_known else _custom(results)
    inside = to_json_serializable(getattr(results, "tag", None))
    document = {
        "timestamp": _timestamp(results),
        "device_id": device_id,
        "type": kind if is_known else CustomEvent.__name__,
        "base_service": base_service or _SERVICES.get(kind),
        "tag": inside if tag is None else to_json_serializable(tag),
        "results": body,
        "camera": getattr(results, "camera_label", getattr(results, "start_camera_label", None)),
        "event_id": str(uuid.uuid4()),  # of this packet; an event's own id is in its results
    }
    return check_packet(document)


def line_of(packet: Envelope) -> str:
    """The packet as one line, without what only the fleet knows.

    Raises:
        PacketSizeError: it is too large.
    """
    line = packet.model_dump_json(exclude={"epoch", "seq", "received_at", "captured_at"})
    if len(line.encode()) > LARGEST_PACKET_BYTES:
        raise PacketSizeError(
            f"a packet of {packet.type} has {len(line.encode())} bytes, at most"
            f" {LARGEST_PACKET_BYTES}; publish less at once"
        )
    return line


def parse_analytics_packet(packet_str: str) -> Any:
    """The results or event of a packet, as it was published; types we have none for as a dict.

    Raises:
        BadAnalytics: it is not a packet.
    """
    return _read(packet_str)[1]


def _read(packet_str: str) -> tuple[str, Any]:
    """The type of a packet and what it holds."""
    try:
        packet = Envelope.model_validate(
            {"event_id": "", "device_id": "", **json.loads(packet_str)}
        )
        reader = READERS.get(packet.type)
        return packet.type, packet.results if reader is None else reader(packet)
    except (ValueError, TypeError, KeyError, RecursionError, BadPacket) as error:
        raise BadAnalytics(f"no packet of analytics: {packet_str[:80]!r} ({error!r})") from error


def load_analytics_results(
    filepath: str | os.PathLike[str], packet_types: Collection[str] | None = None
) -> list[Any]:
    """The results and events of a file, one a line, in its order.

    Args:
        filepath: of publish_analytics().
        packet_types: only those of these types, e.g. `["TrackingResults"]`; None: all.

    Raises:
        BadAnalytics: the file is not there, or a line in it is not a packet.
    """
    path = Path(filepath)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadAnalytics(f"{path}: cannot be read: {error}") from error
    loaded = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                kind, results = _read(line)
            except BadAnalytics as error:
                raise BadAnalytics(f"{path}, line {number}: {error}") from error
            if packet_types is None or kind in packet_types:
                loaded.append(results)
    return loaded


def _timestamp(results: Any) -> str:
    if isinstance(results, _MOMENTS):
        return str(results.timestamp)
    if isinstance(results, CompleteTimedEvent):
        return str(results.end_timestamp)
    return generate_event_timestamp()


def _body(results: Any) -> dict[str, Any]:
    body: dict[str, Any] = to_json_serializable(results)
    if isinstance(results, _MOMENTS):
        body.pop("timestamp")
        body.setdefault("data", {})
    return body


def _custom(results: Any) -> dict[str, Any]:
    inside = results.results if isinstance(results, CustomEvent) else results
    body = to_json_serializable(inside)
    return body if isinstance(body, dict) else {"value": body}
