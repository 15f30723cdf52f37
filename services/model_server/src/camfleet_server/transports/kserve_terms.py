"""What KServe v2 means by versions, states and parameters, on gRPC and REST alike."""

import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from camfleet_contracts.protocols import inference_pb2
from camfleet_contracts.tensors import get_datatype
from camfleet_contracts.volume import version_number
from camfleet_server.errors import InvalidInput
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.types import ModelMetadata, TensorSpec, VersionState, VersionStatus

SERVER_VERSION = version("camfleet-server")  # of this process, not of an update beside it
EXTENSIONS = (
    "binary_tensor_data",
    "camfleet_images",  # models whose manifest has `preprocess` take pictures
    "classification",
    "logging",
    "model_configuration",
    "model_repository",
    "model_repository(unload_dependents)",
    "schedule_policy",
    "statistics",
    "trace",
)
MEMORY_EXTENSION = "system_shared_memory"  # where the server allows it
NO_CUDA = "CUDA shared memory is not offered; use system shared memory, or send the bytes"
MANIFEST_PARAMETER = "camfleet.manifest"
STREAM_PARAMETER = "stream_id"  # requests of one stream: the latest wins
REGION = "shared_memory_region"  # parameter of inputs and outputs
CLASSIFICATION = "classification"  # parameter of outputs
LONGEST_NUMBER = 18  # digits of a number in a header or parameter

_US = 1_000_000
_NO_LIMIT_US = 10 * 365 * 86_400 * _US  # nobody waits longer; a lock could not either


def extensions_offered(memory: SharedMemory) -> tuple[str, ...]:
    """Return the names of Triton's extensions that are answered."""
    return (*EXTENSIONS, MEMORY_EXTENSION) if memory.is_allowed else EXTENSIONS


def parse_version(text: str) -> int | None:
    """Read a version; an empty one and 0 stand for the highest available.

    Raises:
        InvalidInput: it is not a number.
    """
    if not text:
        return None
    number = version_number(text)
    if number is None:
        raise InvalidInput(
            f"invalid model version format in request - Expected: a number; Actual: {text[:40]!r}"
        )
    return number or None


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
    return deadline_within(number_from(parameters, "timeout"), call_deadline)


def deadline_within(timeout_us: int, call_deadline: float | None) -> float | None:
    """Take the earlier of the call's deadline and a timeout in microseconds, 0: there is none."""
    if not 0 < timeout_us <= _NO_LIMIT_US:
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
        raise InvalidInput(f"parameter '{name}' - Expected: a whole number; Actual: {value!r:.40}")
    return int(value)


def refuse_sequences(parameters: Mapping[str, Any]) -> None:
    """Refuse a request that is part of a sequence: no model keeps a state between requests.

    Raises:
        InvalidInput: names the parameter.
    """
    for name in ("sequence_id", "sequence_start", "sequence_end"):
        if parameters.get(name):
            raise InvalidInput(
                f"parameter '{name}' - sequences are not offered: no model keeps a state between "
                "requests; send each request on its own"
            )


def stream_from(parameters: Mapping[str, Any]) -> str | None:
    """Read the id of the stream a request belongs to."""
    value = parameters.get(STREAM_PARAMETER)
    return None if value is None or value == "" else str(value)


def _is_number(value: int | str) -> bool:
    if isinstance(value, int):
        return value >= 0
    return value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER


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
