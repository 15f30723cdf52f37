"""What KServe v2 means by versions, states and parameters, on gRPC and REST alike."""

import time
from collections.abc import Mapping
from typing import Any

from camfleet_contracts.protocols import inference_pb2
from camfleet_contracts.tensors import get_datatype
from camfleet_server.errors import InvalidInput
from camfleet_server.types import ModelMetadata, TensorSpec, VersionState, VersionStatus

EXTENSIONS = ("binary_tensor_data", "model_configuration", "model_repository", "schedule_policy")
MANIFEST_PARAMETER = "camfleet.manifest"
STREAM_PARAMETER = "stream_id"  # requests of one stream: the latest wins

_US = 1_000_000


def parse_version(text: str) -> int | None:
    """Read a version; an empty one and 0 stand for the highest available.

    Raises:
        InvalidInput: it is not a number.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(
            f"invalid model version format in request - Expected: a number; Actual: {text!r}"
        )
    return int(text) or None


def repository_state(status: VersionStatus) -> str:
    """Tell a version's state in the words of the model repository extension."""
    if status.state is VersionState.AVAILABLE:
        return "READY"
    if status.state is VersionState.UNLOADING:
        return "UNLOADING"
    is_coming = status.state in {VersionState.START, VersionState.LOADING} and not status.reason
    return "LOADING" if is_coming else "UNAVAILABLE"


def deadline_from(parameters: Mapping[str, Any], call_deadline: float | None) -> float | None:
    """Take the earlier of the call's deadline and the request's `timeout` in microseconds."""
    timeout_us = number_from(parameters, "timeout")
    if timeout_us <= 0:
        return call_deadline
    requested = time.monotonic() + timeout_us / _US
    return requested if call_deadline is None else min(requested, call_deadline)


def number_from(parameters: Mapping[str, Any], name: str) -> int:
    """Read a whole number among the parameters, 0 when it is not there.

    Raises:
        InvalidInput: it is something else.
    """
    value = parameters.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | str) or not _is_number(value):
        raise InvalidInput(f"parameter '{name}' - Expected: a whole number; Actual: {value!r}")
    return int(value)


def stream_from(parameters: Mapping[str, Any]) -> str | None:
    """Read the id of the stream a request belongs to."""
    value = parameters.get(STREAM_PARAMETER)
    return None if value is None or value == "" else str(value)


def _is_number(value: int | str) -> bool:
    return isinstance(value, int) or (value.isascii() and value.isdigit())


def model_config(metadata: ModelMetadata, manifest: str) -> dict[str, Any]:
    """Describe a model as Triton's ModelConfig, the manifest among its parameters."""
    return {
        "name": metadata.name,
        "platform": metadata.platform,
        "backend": metadata.platform.lower(),
        "max_batch_size": 0,  # the shapes below are whole, batch included
        "input": [_config_tensor(spec) for spec in metadata.inputs],
        "output": [_config_tensor(spec) for spec in metadata.outputs],
        "parameters": {MANIFEST_PARAMETER: {"string_value": manifest}},
    }


def _config_tensor(spec: TensorSpec) -> dict[str, Any]:
    number = get_datatype(spec.datatype, spec.name).triton
    return {
        "name": spec.name,
        "data_type": inference_pb2.DataType.Name(number),
        "dims": list(spec.shape),
    }
