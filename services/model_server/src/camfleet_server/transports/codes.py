"""Errors to protocol codes: the one table.

Codes follow OpenVINO Model Server but where that answers UNKNOWN or 404 to something else: a
picture that cannot be decoded is the client's fault, and a version still loading is worth a retry.
"""

from typing import NamedTuple

from camfleet_contracts.tensors import InvalidTensor
from camfleet_server.errors import (
    Abandoned,
    ControlRefused,
    DeadlineExceeded,
    InferenceFailed,
    InvalidInput,
    LoadFailed,
    ModelNotFound,
    ModelNotReady,
    ModelVersionNotFound,
    ModelVersionRetired,
    NoConfigFile,
    NotOffered,
    QueueFull,
    RegionExists,
    RegionNotFound,
    ReloadFailed,
    ServerBusy,
    ServerError,
    SharedMemoryOff,
    Superseded,
    UnknownLabel,
)
from camfleet_server.transports.grpc.status import StatusCode


class Codes(NamedTuple):
    """One kind of error on both wires."""

    grpc: StatusCode
    http: int


CODES: dict[type[Exception], Codes] = {
    ModelNotFound: Codes(StatusCode.NOT_FOUND, 404),
    ModelVersionNotFound: Codes(StatusCode.NOT_FOUND, 404),
    ModelVersionRetired: Codes(StatusCode.NOT_FOUND, 404),
    UnknownLabel: Codes(StatusCode.INVALID_ARGUMENT, 400),
    ModelNotReady: Codes(StatusCode.UNAVAILABLE, 503),
    InvalidInput: Codes(StatusCode.INVALID_ARGUMENT, 400),
    InvalidTensor: Codes(StatusCode.INVALID_ARGUMENT, 400),
    QueueFull: Codes(StatusCode.RESOURCE_EXHAUSTED, 503),
    Superseded: Codes(StatusCode.ABORTED, 409),
    DeadlineExceeded: Codes(StatusCode.DEADLINE_EXCEEDED, 504),
    Abandoned: Codes(StatusCode.CANCELLED, 499),
    ServerBusy: Codes(StatusCode.RESOURCE_EXHAUSTED, 503),
    NotOffered: Codes(StatusCode.UNIMPLEMENTED, 501),
    ControlRefused: Codes(StatusCode.FAILED_PRECONDITION, 412),
    LoadFailed: Codes(StatusCode.INTERNAL, 500),
    SharedMemoryOff: Codes(StatusCode.FAILED_PRECONDITION, 412),
    RegionNotFound: Codes(StatusCode.NOT_FOUND, 404),
    RegionExists: Codes(StatusCode.ALREADY_EXISTS, 409),
    NoConfigFile: Codes(StatusCode.FAILED_PRECONDITION, 412),
    InferenceFailed: Codes(StatusCode.INTERNAL, 500),
    ReloadFailed: Codes(StatusCode.FAILED_PRECONDITION, 412),
    ServerError: Codes(StatusCode.INTERNAL, 500),
}
EXPECTED = (ServerError, InvalidTensor)
"""What a request may end with; everything else is a fault of the server."""

_RETRY_AFTER_S = 1.0


def codes_of(error: Exception) -> Codes:
    """Find the codes of an error, or those of the nearest class it descends from."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def retry_after_s(error: Exception) -> float | None:
    """Tell when to try again, None when trying again is no use."""
    if isinstance(error, QueueFull | ServerBusy):
        return error.retry_after_s
    return _RETRY_AFTER_S if isinstance(error, ModelNotReady) else None
