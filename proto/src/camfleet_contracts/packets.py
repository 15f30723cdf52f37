"""Packets that applications publish: the envelope of events.py, checked, and its quotas."""

import json
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

from pydantic import ValidationError

from camfleet_contracts.events import RESULT_TYPES, ZONE_LABELS, Envelope
from camfleet_contracts.faults import fault_text

LARGEST_PACKET_BYTES = 256 * 1024
LARGEST_REQUEST_BYTES = 2 * 1024 * 1024
MOST_PACKETS_PER_REQUEST = 200
PACKETS_PER_S = 100.0  # of one key; as many at once after a pause of a second
LONGEST_CAMERA = LONGEST_LABEL = 64
EVENT_ID = re.compile(r"[!-~]{0,64}")  # sinks put it into headers

EVENT_TYPES = frozenset(
    {
        "OccurrenceEvent",
        "ValueEvent",
        "StartTimedEvent",
        "EndTimedEvent",
        "CompleteTimedEvent",
        "CustomEvent",
    }
)
# What the fleet itself counts and shows by these labels must not be told by anybody else.
FLEET_LABELS = frozenset(
    {
        "line_crossed",
        *ZONE_LABELS,
        "camera_state",
        "camera_picture",
        "model_changed",
        "model_state",
    }
)


class BadPacket(ValueError):
    """It is not a packet; the text says why."""


def check_packet(document: Any) -> Envelope:
    """The packet, of any type but the fleet's own events.

    Raises:
        BadPacket: it is none.
    """
    if not isinstance(document, dict):
        raise BadPacket("a packet must be an object: {timestamp, type, results ...}")
    try:
        packet = Envelope.model_validate({"event_id": "", "device_id": "", **document})
    except ValidationError as error:
        raise BadPacket(fault_text(error.errors()[0])) from error
    if packet.type not in RESULT_TYPES | EVENT_TYPES:
        known = ", ".join(sorted(RESULT_TYPES | EVENT_TYPES))
        raise BadPacket(f"type {packet.type!r} is unknown; use one of {known}")
    _check_names(packet)
    time_of(packet)
    try:
        packet.to_json()
    except ValueError as error:
        raise BadPacket(f"it cannot be written as JSON: {error}") from error
    return packet


def _check_names(packet: Envelope) -> None:
    """What becomes part of topics, subjects and headers must fit there."""
    if packet.camera is not None and not 0 < len(packet.camera) <= LONGEST_CAMERA:
        raise BadPacket(f"camera must have 1 to {LONGEST_CAMERA} letters")
    if not EVENT_ID.fullmatch(packet.event_id):
        raise BadPacket("event_id must be at most 64 ASCII characters without spaces")
    label = packet.results.get("event_label")
    if label is None:
        return
    if not isinstance(label, str) or not 0 < len(label) <= LONGEST_LABEL:
        raise BadPacket(f"event_label must be a text of 1 to {LONGEST_LABEL} letters")
    if label in FLEET_LABELS:
        raise BadPacket(f"event_label {label!r} is the fleet's own; use another one")


def time_of(packet: Envelope) -> datetime:
    """When it happened, in UTC.

    Raises:
        BadPacket: the timestamp is none of RFC 3339, or there is no such time in UTC.
    """
    try:
        moment = datetime.fromisoformat(packet.timestamp)
    except ValueError as error:
        raise BadPacket(f"timestamp: {error}") from error
    if moment.tzinfo is None:
        raise BadPacket(f"timestamp {packet.timestamp!r} has no zone; end it with Z or +00:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadPacket(f"timestamp {packet.timestamp!r} is out of range in UTC") from error


def read_packets(body: bytes) -> list[Envelope]:
    """The packets of a request, one a line.

    Raises:
        BadPacket: one is none, with its number from 1, or they are too many or too large.
    """
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > MOST_PACKETS_PER_REQUEST:
        raise BadPacket(f"{len(lines)} packets, at most {MOST_PACKETS_PER_REQUEST} at once")
    return [_read(number, line) for number, line in enumerate(lines, 1)]


def _read(number: int, line: bytes) -> Envelope:
    if len(line) > LARGEST_PACKET_BYTES:
        raise BadPacket(f"packet {number}: {len(line)} bytes, at most {LARGEST_PACKET_BYTES}")
    try:
        return check_packet(json.loads(line, parse_constant=_refuse))
    except BadPacket as error:
        raise BadPacket(f"packet {number}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise BadPacket(f"packet {number}: not JSON ({error})") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
