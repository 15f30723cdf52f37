"""Those of gRPC's channel arguments that are bounds here (`--grpc_channel_arguments`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from camfleet_server.transports.http2.limits import Lifetimes, Limits

MAX_MESSAGE_BYTES = 1 << 30  # as OVMS
ChannelArguments: TypeAlias = tuple[tuple[str, int | str], ...]

_RECEIVED, _SENT = "grpc.max_receive_message_length", "grpc.max_send_message_length"
_STREAMS = "grpc.max_concurrent_streams"
_IDLE, _AGE = "grpc.max_connection_idle_ms", "grpc.max_connection_age_ms"
_GRACE = "grpc.max_connection_age_grace_ms"
_KNOWN = (_RECEIVED, _SENT, _STREAMS, _IDLE, _AGE, _GRACE)
_PREFIX_LIMIT = (1 << 32) - 1  # no message can be longer
_FOREVER_MS = (1 << 31) - 1  # gRPC's own word for it


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """How large one message may be."""

    received_bytes: int = MAX_MESSAGE_BYTES
    sent_bytes: int = MAX_MESSAGE_BYTES


def message_limits(arguments: ChannelArguments) -> MessageLimits:
    """Read the bounds of messages; -1 means none."""
    given = dict(arguments)
    sizes = (_number(given, name, MAX_MESSAGE_BYTES) for name in (_RECEIVED, _SENT))
    return MessageLimits(*(_PREFIX_LIMIT if size < 0 else size for size in sizes))


def connection_limits(arguments: ChannelArguments) -> Limits:
    """Read the bounds of one connection."""
    return Limits(streams=_number(dict(arguments), _STREAMS, Limits().streams))


def lifetimes(arguments: ChannelArguments) -> Lifetimes:
    """Read how long connections may last."""
    given, ours = dict(arguments), Lifetimes()
    return Lifetimes(
        idle_s=_seconds(given, _IDLE, ours.idle_s),
        age_s=_seconds(given, _AGE, ours.age_s),
        grace_s=_seconds(given, _GRACE, ours.grace_s),
    )


def without_effect(arguments: ChannelArguments) -> list[str]:
    """Name the arguments that change nothing here, and those that are no number."""
    return [name for name, value in arguments if name not in _KNOWN or not isinstance(value, int)]


def _number(given: Mapping[str, int | str], name: str, ours: int) -> int:
    value = given.get(name, ours)
    return value if isinstance(value, int) else ours


def _seconds(given: Mapping[str, int | str], name: str, ours: float) -> float:
    value = given.get(name)
    if not isinstance(value, int):
        return ours
    return float("inf") if not 0 <= value < _FOREVER_MS else value / 1e3
